//! The error page, where no page lets the user try again: an explanation in plain words, and details for support. It
//! contains no link, in particular none from the request.

use actix_web::HttpResponse;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use serde::Serialize;

use super::page_context::PageContext;
use super::policy::Policy;
use super::relative_time;
use super::texts::Message;
use crate::error::{Error, Progress};
use crate::http::error::{PageRefusal, RequestError, description, retry_after};
use crate::protocol::ErrorCode;

#[derive(Serialize)]
struct PageModel<'a> {
    title: String,
    explanation: String,
    status: u16,
    code: &'static str,
    description: Option<String>,
    request_id: Option<&'a str>,
}

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
        PageRefusal::Refused(RequestError::NoToken) => ("error-refused", "error-refused-explained"),
        PageRefusal::Refused(RequestError::TooLarge) => ("error-request", "error-request-explained"),
        PageRefusal::Refused(RequestError::Rule(error)) => match error {
            Error::OAuth(error) if is_the_tokens(error.code) => ("error-refused", "error-refused-explained"),
            Error::OAuth(_) | Error::Conflict(_) => ("error-request", "error-request-explained"),
            Error::NotFound(_) => ("error-not-found", "error-not-found-explained"),
            Error::TooManyRequests(wait) => return ("error-too-many", relative_time::too_many(*wait)),
            Error::Unavailable(unavailable) => match unavailable.progress {
                Progress::NotBegun => ("error-away", "error-away-explained"),
                Progress::Unfinished => ("error-unfinished", "error-unfinished-explained"),
            },
            Error::Internal(_) => ("error-ours", "error-ours-explained"),
        },
    };
    (title, Message::plain(explanation))
}

const fn is_the_tokens(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::InvalidToken | ErrorCode::InsufficientScope)
}
