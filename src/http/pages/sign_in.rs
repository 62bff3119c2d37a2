//! The sign-in page: user name and password.

use actix_web::HttpResponse;
use serde::Serialize;

use super::application::{self, Application};
use super::page_context::PageContext;
use super::policy::Policy;
use super::problem::{self, Problem};
use super::texts::Message;

#[derive(Debug, Clone, Default)]
pub struct SignIn {
    /// The interaction that continues afterwards; `None` where the user only opens the account page.
    pub interaction: Option<String>,
    pub csrf: String,
    pub application: Option<Application>,
    /// The user name to fill in.
    pub hint: Option<String>,
    /// Whether the user is signed in and has to enter the password all the same (`prompt=login`, `max_age`).
    pub again: bool,
    pub problem: Option<Problem>,
}

#[derive(Serialize)]
struct PageModel<'a> {
    interaction: Option<&'a str>,
    csrf: &'a str,
    application: Option<application::ApplicationModel<'a>>,
    hint: &'a str,
    again: Option<String>,
    problem: Option<String>,
    fields_wrong: bool,
}

#[must_use]
pub fn sign_in(page_context: &PageContext, page: &SignIn) -> HttpResponse {
    let again = page.application.as_ref().filter(|_| page.again);
    let shown = PageModel {
        interaction: page.interaction.as_deref(),
        csrf: &page.csrf,
        application: page.application.as_ref().map(Application::shown),
        hint: page.hint.as_deref().unwrap_or_default(),
        again: again.map(|asks| {
            page_context.say(&Message::naming("sign-in-again", "application", &application::plain(&asks.name)))
        }),
        problem: page.problem.map(|problem| page_context.say(&problem.message())),
        fields_wrong: page.problem.is_some_and(Problem::lies_in_the_fields),
    };
    let policy = Policy::default().with_images(page.application.as_ref().and_then(Application::logo_address));
    problem::with_wait(
        page_context.answer(problem::status(page.problem), "sign_in.html", &shown, &policy),
        page.problem,
    )
}
