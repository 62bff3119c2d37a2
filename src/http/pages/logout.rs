//! Sign out: the question, and what is shown once it is done.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;

use super::application::plain;
use super::page_context::PageContext;
use super::policy::Policy;
use super::problem::{self, Problem};

/// The question whether somebody wants to sign out.
#[derive(Debug, Clone, Default)]
pub struct LogoutPage {
    /// The token of this form.
    pub csrf: String,
    /// Who is signed in.
    pub user: String,
    /// The name of the application that asks for it.
    pub application: Option<String>,
    /// Why the form comes back.
    pub problem: Option<Problem>,
}

/// A sign-out that is done.
#[derive(Debug, Clone, Default)]
pub struct LoggedOutPage {
    /// The name of the application to which the person goes back.
    pub application: Option<String>,
    /// Where the person goes on by themselves once everything on the page has loaded: a registered post-logout URI,
    /// with `state`.
    pub continue_to: Option<String>,
    /// Front-channel logout: pages of applications to be loaded out of sight, `iss` and `sid` included.
    pub frames: Vec<String>,
    /// Whether some application is yet to be told.
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

/// The question.
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

/// What is shown once it is done.
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
