//! Turns the errors of the rules into responses. A response has what the caller may know; the log has what the operator
//! needs.
//!
//! Every rule fails with one [`crate::error::Error`]. [`RequestError`] adds what only HTTP knows. Functions that match
//! without a wildcard turn it into the code and status of the RFC, one sentence, and `Retry-After` where waiting helps.
//! Each API has its own form:
//!
//! - OAuth endpoints answer as RFC 6749 section 5.2 says.
//! - The admin API, userinfo, status lists and the event stream answer with problem details (RFC 9457), with a
//!   challenge where a bearer token was refused (RFC 6750 section 3).
//! - The SimpleJWT-compatible API answers in SimpleJWT's words (`http/simplejwt/fields.rs`).
//! - A user with a browser sees an error page (`http/pages/error_page.rs`).
//!
//! The cause of an error goes to the log instead, in `http/request_log.rs`. The request id in `x-request-id` joins the
//! two. A store error becomes `Unavailable` where the store does not answer, so that its outcome may be in doubt, and
//! `Internal` where the server is at fault.

use std::fmt;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use serde_json::json;

use crate::error::{Error, Progress, with_causes};
use crate::protocol::ErrorCode;

/// The reason why a request is refused: by a rule, or by HTTP alone.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    #[error(transparent)]
    Rule(Error),
    /// The request exceeds a size limit (RFC 9110 section 15.5.14).
    #[error("the request is larger than is read here")]
    TooLarge,
    /// The request has no bearer token (RFC 6750 section 3).
    #[error("send an access token: `Authorization: Bearer …`")]
    NoToken,
}

impl<E: Into<Error>> From<E> for RequestError {
    fn from(error: E) -> Self {
        Self::Rule(error.into())
    }
}

/// A refusal by an OAuth endpoint (RFC 6749 section 5.2).
#[derive(Debug)]
pub struct OAuthRefusal(pub RequestError);

/// A refusal as problem details (RFC 9457), with a challenge where a bearer token was refused (RFC 6750 section 3). The
/// admin API, userinfo, status lists and the event stream use it.
#[derive(Debug)]
pub struct ProblemRefusal(pub RequestError);

/// A refusal that a user sees as a page, rendered by `browser/errors.rs`.
#[derive(Debug)]
pub enum PageRefusal {
    Refused(RequestError),
    /// The interaction has expired, is finished, or belongs to another browser.
    Expired(RequestError),
    NoCookies,
}

impl PageRefusal {
    /// Classifies a rule's error about an interaction: `invalid_request` means that the interaction has expired.
    #[must_use]
    pub fn of_an_interaction(error: Error) -> Self {
        match error.oauth_code() {
            Some(ErrorCode::InvalidRequest) => Self::Expired(error.into()),
            Some(_) | None => Self::Refused(error.into()),
        }
    }

    #[must_use]
    pub fn code_and_status(&self) -> (&'static str, StatusCode) {
        match self {
            Self::Refused(error) | Self::Expired(error) => code_and_status(error),
            Self::NoCookies => (ErrorCode::InvalidRequest.as_str(), StatusCode::BAD_REQUEST),
        }
    }

    #[must_use]
    pub const fn error(&self) -> Option<&RequestError> {
        match self {
            Self::Refused(error) | Self::Expired(error) => Some(error),
            Self::NoCookies => None,
        }
    }
}

/// Returns the code and the status of an error, in one exhaustive list.
#[must_use]
pub fn code_and_status(error: &RequestError) -> (&'static str, StatusCode) {
    match error {
        RequestError::TooLarge => (ErrorCode::InvalidRequest.as_str(), StatusCode::PAYLOAD_TOO_LARGE),
        RequestError::NoToken => (ErrorCode::InvalidToken.as_str(), StatusCode::UNAUTHORIZED),
        RequestError::Rule(Error::OAuth(error)) => (error.code.as_str(), status(error.code)),
        RequestError::Rule(Error::NotFound(_)) => ("not_found", StatusCode::NOT_FOUND),
        RequestError::Rule(Error::Conflict(_)) => ("conflict", StatusCode::CONFLICT),
        RequestError::Rule(Error::TooManyRequests(_)) => ("too_many_requests", StatusCode::TOO_MANY_REQUESTS),
        RequestError::Rule(Error::Unavailable(_)) => {
            (ErrorCode::TemporarilyUnavailable.as_str(), StatusCode::SERVICE_UNAVAILABLE)
        }
        RequestError::Rule(Error::Internal(_)) => (ErrorCode::ServerError.as_str(), StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// Returns the status of a registered code (RFC 6749 section 5.2, RFC 6750 section 3.1, RFC 7009 section 2.2.1, RFC
/// 8628 section 3.5, RFC 8707 section 2). Codes of the authorization endpoint are sent in a redirect, without this
/// status.
const fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::InvalidClient | ErrorCode::InvalidToken => StatusCode::UNAUTHORIZED,
        ErrorCode::InsufficientScope => StatusCode::FORBIDDEN,
        ErrorCode::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorCode::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::InvalidRequest
        | ErrorCode::InvalidGrant
        | ErrorCode::UnauthorizedClient
        | ErrorCode::UnsupportedGrantType
        | ErrorCode::InvalidScope
        | ErrorCode::AccessDenied
        | ErrorCode::UnsupportedResponseType
        | ErrorCode::UnsupportedTokenType
        | ErrorCode::InvalidTarget
        | ErrorCode::LoginRequired
        | ErrorCode::AccountSelectionRequired
        | ErrorCode::ConsentRequired
        | ErrorCode::RequestNotSupported
        | ErrorCode::RequestUriNotSupported
        | ErrorCode::RegistrationNotSupported
        | ErrorCode::AuthorizationPending
        | ErrorCode::SlowDown
        | ErrorCode::ExpiredToken => StatusCode::BAD_REQUEST,
    }
}

/// Returns the sentence for the caller. It reveals no cause where the server is at fault.
#[must_use]
pub fn description(error: &RequestError) -> String {
    match error {
        RequestError::TooLarge | RequestError::NoToken => error.to_string(),
        RequestError::Rule(Error::OAuth(error)) => error.description.to_string(),
        RequestError::Rule(Error::NotFound(text) | Error::Conflict(text)) => text.to_string(),
        RequestError::Rule(Error::TooManyRequests(wait)) => {
            format!("too many tries; come back in {} s", seconds_up(*wait))
        }
        RequestError::Rule(Error::Unavailable(unavailable)) => match unavailable.progress {
            Progress::NotBegun => "the service cannot answer now; nothing was changed, try again".to_owned(),
            Progress::Unfinished => {
                "the change is kept, but not yet in force everywhere; repeat the call to finish it".to_owned()
            }
        },
        RequestError::Rule(Error::Internal(_)) => {
            "something is wrong on our side; the log has it under this request's id".to_owned()
        }
    }
}

/// Returns the seconds for `Retry-After`, where the error has them.
#[must_use]
pub fn retry_after(error: &RequestError) -> Option<u64> {
    match error {
        RequestError::Rule(Error::TooManyRequests(wait)) => Some(seconds_up(*wait)),
        RequestError::Rule(Error::Unavailable(unavailable)) => Some(seconds_up(unavailable.retry_after)),
        RequestError::TooLarge
        | RequestError::NoToken
        | RequestError::Rule(Error::OAuth(_) | Error::NotFound(_) | Error::Conflict(_) | Error::Internal(_)) => None,
    }
}

/// Returns the challenge of an endpoint for bearer tokens. The challenge names no error where the request had no token
/// (RFC 6750 section 3.1).
fn bearer_challenge(error: &RequestError) -> Option<String> {
    let realm = "Bearer realm=\"tokenhouse\"";
    match error {
        RequestError::NoToken => Some(realm.to_owned()),
        RequestError::TooLarge => None,
        RequestError::Rule(error) => {
            let is_the_tokens =
                |code: &ErrorCode| matches!(code, ErrorCode::InvalidToken | ErrorCode::InsufficientScope);
            error.oauth_code().filter(is_the_tokens).map(|code| format!("{realm}, error=\"{code}\""))
        }
    }
}

fn seconds_up(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// Begins a refusal: status, `Retry-After`, never cached.
#[must_use]
pub fn refusal(error: &RequestError) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(code_and_status(error).1);
    response.insert_header((CACHE_CONTROL, "no-store"));
    if let Some(seconds) = retry_after(error) {
        response.insert_header((RETRY_AFTER, seconds));
    }
    response
}

/// Builds problem details (RFC 9457) without a `type`.
#[must_use]
pub fn problem(status: StatusCode, detail: &str) -> HttpResponse {
    let title = status.canonical_reason().unwrap_or("Error");
    HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, "application/problem+json"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(json!({ "title": title, "status": status.as_u16(), "detail": detail }).to_string())
}

impl<E: Into<RequestError>> From<E> for OAuthRefusal {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl<E: Into<RequestError>> From<E> for PageRefusal {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

impl fmt::Display for PageRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.error() {
            Some(error) => for_the_log(error, f),
            None => f.write_str("the browser sent no cookie"),
        }
    }
}

impl ResponseError for PageRefusal {
    fn status_code(&self) -> StatusCode {
        self.code_and_status().1
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::build(self.status_code()).insert_header((CACHE_CONTROL, "no-store")).finish()
    }
}

impl<E: Into<RequestError>> From<E> for ProblemRefusal {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl fmt::Display for OAuthRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for_the_log(&self.0, f)
    }
}

impl fmt::Display for ProblemRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for_the_log(&self.0, f)
    }
}

pub fn for_the_log(error: &RequestError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{}: {}", code_and_status(error).0, with_causes(error))
}

impl ResponseError for OAuthRefusal {
    fn status_code(&self) -> StatusCode {
        code_and_status(&self.0).1
    }

    fn error_response(&self) -> HttpResponse {
        let (code, _) = code_and_status(&self.0);
        let mut response = refusal(&self.0);
        if code == ErrorCode::InvalidClient.as_str() {
            response.insert_header((WWW_AUTHENTICATE, "Basic realm=\"tokenhouse\", charset=\"UTF-8\""));
        }
        response.json(json!({ "error": code, "error_description": description(&self.0) }))
    }
}

impl ResponseError for ProblemRefusal {
    fn status_code(&self) -> StatusCode {
        code_and_status(&self.0).1
    }

    fn error_response(&self) -> HttpResponse {
        let (code, status) = code_and_status(&self.0);
        let mut response = refusal(&self.0);
        if let Some(challenge) = bearer_challenge(&self.0) {
            response.insert_header((WWW_AUTHENTICATE, challenge));
        }
        let title = status.canonical_reason().unwrap_or("Error");
        let body = json!({
            "title": title,
            "status": status.as_u16(),
            "detail": description(&self.0),
            "code": code,
        });
        response.insert_header((CONTENT_TYPE, "application/problem+json")).body(body.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_down_is_a_code_for_devices_and_not_for_too_many_requests() {
        let too_many = RequestError::from(Error::TooManyRequests(Duration::from_millis(1500)));
        let device = RequestError::from(Error::oauth(ErrorCode::SlowDown, "ask less often"));

        assert_eq!(code_and_status(&too_many), ("too_many_requests", StatusCode::TOO_MANY_REQUESTS));
        assert_eq!(retry_after(&too_many), Some(2));
        assert_eq!(code_and_status(&device), ("slow_down", StatusCode::BAD_REQUEST));
        assert_eq!(retry_after(&device), None);
    }

    #[test]
    fn a_change_that_is_not_finished_is_told_from_one_that_is_not_begun() {
        let not_begun = RequestError::from(Error::unavailable("Redis"));
        let unfinished = RequestError::from(Error::unavailable("Redis").unfinished());

        for error in [&not_begun, &unfinished] {
            assert_eq!(code_and_status(error), ("temporarily_unavailable", StatusCode::SERVICE_UNAVAILABLE));
            assert_eq!(retry_after(error), Some(1));
            assert!(!description(error).contains("Redis"), "the caller is not told what did not answer");
        }
        assert!(description(&not_begun).contains("nothing was changed"));
        assert!(description(&unfinished).contains("repeat the call"));
    }

    #[test]
    fn only_a_token_that_was_sent_is_called_invalid_in_the_challenge() {
        let realm = "Bearer realm=\"tokenhouse\"";
        let sent = Error::oauth(ErrorCode::InvalidToken, "it has expired").into();

        assert_eq!(bearer_challenge(&RequestError::NoToken).as_deref(), Some(realm));
        assert_eq!(bearer_challenge(&sent), Some(format!("{realm}, error=\"invalid_token\"")));
        assert_eq!(bearer_challenge(&RequestError::TooLarge), None);
    }
}
