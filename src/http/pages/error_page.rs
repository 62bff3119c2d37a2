//! Errors, where no page lets the person try again: what is wrong in plain words, and what those need who can help.
//! There is no link on it, least of all one that the request has brought.

use actix_web::HttpResponse;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use actix_web::middleware::Next;
use serde::Serialize;

use super::page_context::PageContext;
use super::policy::Policy;
use super::relative_time;
use super::texts::Message;
use crate::error::{Error, Progress};
use crate::http::error::{PageRefusal, RequestError, description, retry_after};
use crate::protocol::ErrorCode;

/// Makes a page of every [`PageRefusal`] of the endpoints behind it, in the language of whoever knocked.
///
/// # Errors
/// Those of the rest.
pub async fn explain<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let answer = next.call(request).await?.map_into_boxed_body();
    let refusal = answer.response().error().and_then(|error| error.as_error::<PageRefusal>());
    let Some(refusal) = refusal else { return Ok(answer) };
    let page = error_page(&PageContext::of(answer.request())?, refusal);
    // The response is changed and not rebuilt, because it keeps its cause for the log.
    Ok(answer.map_body(|head, _| {
        head.status = page.status();
        for (name, value) in page.headers() {
            head.headers_mut().insert(name.clone(), value.clone());
        }
        page.into_body()
    }))
}

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
