//! Builds every redirect that the server sends.

use actix_web::http::header::{CACHE_CONTROL, LOCATION};
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};

use super::error::{PageRefusal, RequestError};
use super::form::read_body;
use crate::ctx;
use crate::error::Error;

/// The longest form, in bytes. It is repeated as a GET and must fit into a request line.
const LONGEST_QUERY: usize = 8 * 1024;

/// Redirects with 303, so that no browser repeats a form that held a password (RFC 9700 section 4.12).
#[must_use]
pub fn see_other(location: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, location)).insert_header((CACHE_CONTROL, "no-store")).finish()
}

/// Redirects the browser to `path`, with the form as the query.
pub(super) async fn repeat_as_get(
    ctx: &ctx::Ctx,
    path: &str,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, PageRefusal> {
    let body = read_body(request, payload.into_inner()).await?;
    let query = std::str::from_utf8(&body).ok().filter(|query| query.bytes().all(|byte| byte.is_ascii_graphic()));
    let query = query.ok_or_else(|| Error::invalid_request("the body is not a form"))?;
    if query.len() > LONGEST_QUERY {
        return Err(RequestError::TooLarge.into());
    }
    Ok(see_other(&ctx.config.path_to(&format!("{path}?{query}"))))
}
