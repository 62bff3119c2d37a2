//! Refusals that a user sees: the middleware that renders error pages, and the problems that the page itself can show.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;

use crate::error::{Error, Progress, with_causes};
use crate::http::error::PageRefusal;
use crate::http::pages::{PageContext, Problem, error_page};

/// Renders every [`PageRefusal`] of the wrapped endpoints as a page in the user's language.
pub async fn show_refusals<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let answer = next.call(request).await?.map_into_boxed_body();
    let refusal = answer.response().error().and_then(|error| error.as_error::<PageRefusal>());
    let Some(refusal) = refusal else { return Ok(answer) };
    let page = error_page(&PageContext::of(answer.request())?, refusal);
    // The response is changed and not rebuilt, because it carries the cause for the log.
    Ok(answer.map_body(|head, _| {
        head.status = page.status();
        for (name, value) in page.headers() {
            head.headers_mut().insert(name.clone(), value.clone());
        }
        page.into_body()
    }))
}

/// Returns the problem that the page shows for an error, if the user can try again.
pub(super) fn problem_of(error: Error) -> Result<Problem, PageRefusal> {
    match error {
        Error::TooManyRequests(wait) => Ok(Problem::TooManyTries(wait)),
        Error::Unavailable(away) if away.progress == Progress::NotBegun => {
            tracing::error!(cause = with_causes(&away), "a page could not be answered");
            Ok(Problem::Unavailable(away.retry_after))
        }
        other => Err(other.into()),
    }
}
