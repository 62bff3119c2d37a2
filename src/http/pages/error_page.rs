//! Errors, where no page lets the person try again: what is wrong in plain words, and what those need who can help.
//! There is no link on it, least of all one that the request has brought.

use actix_web::HttpResponse;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use serde::Serialize;

use super::page_context::PageContext;
use super::policy::Policy;
use super::relative_time;
use super::texts::Message;
use crate::http::error::{PageRefusal, description, retry_after};
use crate::protocol::OAuthError;

#[derive(Serialize)]
struct PageModel<'a> {
    title: String,
    explanation: String,
    status: u16,
    code: &'static str,
    description: Option<String>,
    request_id: Option<&'a str>,
}

/// The page.
#[must_use]
pub fn error_page(page_context: &PageContext, refusal: &PageRefusal) -> HttpResponse {
    let (title, explanation) = words(refusal);
    let (code, status) = refusal.code_and_status();
    let shown = PageModel {
        title: page_context.say(&Message::plain(title)),
        explanation: page_context.say(&explanation),
        status: status.as_u16(),
        code,
        description: refusal.error().map(description),
        request_id: page_context.request_id.as_deref(),
    };
    let mut answer = page_context.answer(status, "error_page.html", &shown, &Policy::default().with_forms_here());
    if let Some(seconds) = refusal.error().and_then(retry_after) {
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}

fn words(refusal: &PageRefusal) -> (&'static str, Message) {
    let (title, explanation) = match refusal {
        PageRefusal::Expired(_) => ("error-expired", "error-expired-explained"),
        PageRefusal::NoCookies => ("error-cookies", "error-cookies-explained"),
        PageRefusal::Refused(error) => match error {
            OAuthError::TooManyTries(wait) => return ("error-too-many", relative_time::too_many(*wait)),
            OAuthError::NotFound(_) => ("error-not-found", "error-not-found-explained"),
            OAuthError::NoToken | OAuthError::InvalidToken(_) | OAuthError::InsufficientScope(_) => {
                ("error-refused", "error-refused-explained")
            }
            OAuthError::Unavailable(_) => ("error-away", "error-away-explained"),
            OAuthError::Unfinished(_) => ("error-unfinished", "error-unfinished-explained"),
            OAuthError::Internal(_) => ("error-ours", "error-ours-explained"),
            OAuthError::InvalidRequest(_)
            | OAuthError::TooLarge
            | OAuthError::Conflict(_)
            | OAuthError::InvalidClient(_)
            | OAuthError::InvalidGrant(_)
            | OAuthError::UnauthorizedClient(_)
            | OAuthError::UnsupportedGrantType(_)
            | OAuthError::InvalidScope(_)
            | OAuthError::InvalidTarget(_)
            | OAuthError::UnsupportedTokenType(_) => ("error-request", "error-request-explained"),
        },
    };
    (title, Message::plain(explanation))
}
