//! The page for choosing an account: the signed-in one or another.

use actix_web::HttpResponse;
use serde::Serialize;

use super::application::{self, Application};
use super::page_context::PageContext;
use super::policy::Policy;
use super::problem::{self, Problem};

#[derive(Debug, Clone, Default)]
pub struct ChooseAccount {
    pub interaction: Option<String>,
    pub csrf: String,
    pub application: Option<Application>,
    pub user: String,
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
