//! The page that sends an answer to an application by POST (OAuth 2.0 Form Post Response Mode).

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;

use super::application::plain;
use super::page_context::PageContext;
use super::policy::{Policy, SEND};

#[derive(Debug, Clone, Default)]
pub struct FormPost {
    /// The registered redirect URI.
    pub action: String,
    /// `code`, `state`, `iss` or `error`, not yet escaped.
    pub fields: Vec<(String, String)>,
    pub application: Option<String>,
}

#[derive(Serialize)]
struct PageModel<'a> {
    action: &'a str,
    fields: &'a [(String, String)],
    application: Option<String>,
    script: &'static str,
}

/// Renders the page. Without scripts, the user sends the form with its button.
#[must_use]
pub fn form_post(page_context: &PageContext, page: &FormPost) -> HttpResponse {
    let shown = PageModel {
        action: &page.action,
        fields: &page.fields,
        application: page.application.as_deref().map(plain),
        script: SEND,
    };
    page_context.answer(StatusCode::OK, "form_post.html", &shown, &Policy::default().with_the_sending_script())
}
