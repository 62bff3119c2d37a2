//! The consent page: whether an application may use the account.

use actix_web::HttpResponse;
use serde::Serialize;

use super::application::{self, Application};
use super::page_context::PageContext;
use super::policy::Policy;
use super::problem::{self, Problem};
use super::scopes;

#[derive(Debug, Clone, Default)]
pub struct Consent {
    pub interaction: Option<String>,
    pub csrf: String,
    pub application: Application,
    pub user: String,
    /// The identifier of the user. The form returns it, so that only the user who was asked can answer.
    pub user_id: String,
    pub scopes: Vec<String>,
    pub problem: Option<Problem>,
}

#[derive(Serialize)]
struct PageModel<'a> {
    interaction: Option<&'a str>,
    csrf: &'a str,
    application: application::ApplicationModel<'a>,
    user: &'a str,
    user_id: &'a str,
    scopes: Vec<scopes::ScopeModel<'a>>,
    problem: Option<String>,
}

#[must_use]
pub fn consent(page_context: &PageContext, page: &Consent) -> HttpResponse {
    let shown = PageModel {
        interaction: page.interaction.as_deref(),
        csrf: &page.csrf,
        application: page.application.shown(),
        user: &page.user,
        user_id: &page.user_id,
        scopes: scopes::in_words(&page.scopes),
        problem: page.problem.map(|problem| page_context.say(&problem.message())),
    };
    let policy = Policy::default().with_images(page.application.logo_address());
    problem::with_wait(
        page_context.answer(problem::status(page.problem), "consent.html", &shown, &policy),
        page.problem,
    )
}
