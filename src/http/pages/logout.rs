//! The pages of a logout: the question, and the last page.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;

use super::application::plain;
use super::page_context::PageContext;
use super::policy::Policy;
use super::problem::{self, Problem};

#[derive(Debug, Clone, Default)]
pub struct LogoutPage {
    pub csrf: String,
    pub user: String,
    pub application: Option<String>,
    pub problem: Option<Problem>,
}

#[derive(Debug, Clone, Default)]
pub struct LoggedOutPage {
    /// The name of the application to which the user returns.
    pub application: Option<String>,
    /// The address to which the page continues once everything on it has loaded: a registered post-logout URI, with
    /// `state`.
    pub continue_to: Option<String>,
    /// Front-channel logout: pages of applications to load in hidden frames, with `iss` and `sid`.
    pub frames: Vec<String>,
    /// Whether the logout has yet to reach some application.
    pub is_pending: bool,
}

#[derive(Serialize)]
struct Question<'a> {
    csrf: &'a str,
    user: &'a str,
    application: Option<String>,
    problem: Option<String>,
}

#[derive(Serialize)]
struct End<'a> {
    application: Option<String>,
    continue_to: Option<&'a str>,
    frames: &'a [String],
    is_pending: bool,
}

#[must_use]
pub fn logout(page_context: &PageContext, page: &LogoutPage) -> HttpResponse {
    let shown = Question {
        csrf: &page.csrf,
        user: &page.user,
        application: page.application.as_deref().map(plain),
        problem: page.problem.map(|problem| page_context.say(&problem.message())),
    };
    let answer = page_context.answer(problem::status(page.problem), "logout.html", &shown, &Policy::default());
    problem::with_wait(answer, page.problem)
}

#[must_use]
pub fn signed_out(page_context: &PageContext, page: &LoggedOutPage) -> HttpResponse {
    let shown = End {
        application: page.application.as_deref().map(plain),
        continue_to: page.continue_to.as_deref(),
        frames: &page.frames,
        is_pending: page.is_pending,
    };
    let policy = Policy::default().with_forms_here().with_frames(page.frames.iter().map(String::as_str));
    page_context.answer(StatusCode::OK, "logged_out.html", &shown, &policy)
}
