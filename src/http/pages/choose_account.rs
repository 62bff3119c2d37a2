//! Choose an account: go on as the person who is signed in, or as somebody else.

use actix_web::HttpResponse;
use serde::Serialize;

use super::application::{self, Application};
use super::page_context::PageContext;
use super::policy::Policy;
use super::problem::{self, Problem};

/// What the page is about.
#[derive(Debug, Clone, Default)]
pub struct ChooseAccount {
    /// The interaction that goes on afterwards.
    pub interaction: Option<String>,
    /// The token of this form.
    pub csrf: String,
    /// Who asks for it.
    pub application: Option<Application>,
    /// Who is signed in.
    pub user: String,
    /// Why the form comes back.
    pub problem: Option<Problem>,
}

#[derive(Serialize)]
struct PageModel<'a> {
    interaction: Option<&'a str>,
    csrf: &'a str,
    application: Option<application::ApplicationModel<'a>>,
    user: &'a str,
    initial: String,
    problem: Option<String>,
}

/// The page.
#[must_use]
pub fn choose_account(page_context: &PageContext, page: &ChooseAccount) -> HttpResponse {
    let shown = PageModel {
        interaction: page.interaction.as_deref(),
        csrf: &page.csrf,
        application: page.application.as_ref().map(Application::shown),
        user: &page.user,
        initial: application::initial(&page.user),
        problem: page.problem.map(|problem| page_context.say(&problem.message())),
    };
    let policy = Policy::default().with_images(page.application.as_ref().and_then(Application::logo_address));
    problem::with_wait(
        page_context.answer(problem::status(page.problem), "choose_account.html", &shown, &policy),
        page.problem,
    )
}
