//! The extractor for the access token that a request presents.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::authorization_header::authorization;
use super::error::{ProblemRefusal, RequestError};
use crate::model::Secret;
use crate::token_status::PresentedToken;

/// Reads the access token from the `Authorization` header (RFC 6750 section 2.1); `None` where there is no header.
/// Proofs are not read yet, so the rule refuses a token that is bound to a key.
///
/// # Errors
/// [`RequestError::NoToken`] for another scheme, `invalid_request` for two headers.
pub fn in_header(request: &HttpRequest) -> Result<Option<PresentedToken>, RequestError> {
    let Some(header) = authorization(request)? else { return Ok(None) };
    let (scheme, token) = header.split_once(' ').unwrap_or_default();
    if scheme.eq_ignore_ascii_case("bearer") {
        Ok(Some(PresentedToken::bearer(Secret::new(token.trim()))))
    } else {
        Err(RequestError::NoToken)
    }
}

impl FromRequest for PresentedToken {
    type Error = ProblemRefusal;
    type Future = Ready<Result<Self, ProblemRefusal>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(in_header(request).and_then(|token| token.ok_or(RequestError::NoToken)).map_err(ProblemRefusal))
    }
}
