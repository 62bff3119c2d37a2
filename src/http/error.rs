//! What refusals look like on the wire. Each API has its own face for the same [`OAuthError`]; what the operator needs
//! to know goes to the log instead (`request_log.rs`), under a request id that both share.

use std::fmt;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use serde_json::json;

use crate::protocol::{OAuthError, with_causes};

/// A refusal of an OAuth endpoint (RFC 6749 section 5.2).
#[derive(Debug)]
pub struct OAuthRefusal(pub OAuthError);

/// A refusal in the form of problem details (RFC 9457), with a challenge where a bearer token was refused (RFC 6750
/// section 3): in the admin API, of userinfo, status lists and events.
#[derive(Debug)]
pub struct ProblemRefusal(pub OAuthError);

/// A refusal that a person sees. `browser/errors.rs` makes a page of it.
#[derive(Debug)]
pub enum PageRefusal {
    /// A rule refused.
    Refused(OAuthError),
    /// What the person was about to do is over, was finished, or belongs to another browser.
    Expired(OAuthError),
    /// The browser keeps no cookies.
    NoCookies,
}

impl PageRefusal {
    /// What a rule says against an interaction: when it is not to be found, it has expired.
    #[must_use]
    pub fn of_an_interaction(error: OAuthError) -> Self {
        match error {
            OAuthError::InvalidRequest(_) => Self::Expired(error),
            other => Self::Refused(other),
        }
    }

    /// The code and the status, likewise.
    #[must_use]
    pub fn code_and_status(&self) -> (&'static str, StatusCode) {
        match self {
            Self::Refused(error) | Self::Expired(error) => code_and_status(error),
            Self::NoCookies => ("invalid_request", StatusCode::BAD_REQUEST),
        }
    }

    /// What a rule said, if it was one.
    #[must_use]
    pub const fn error(&self) -> Option<&OAuthError> {
        match self {
            Self::Refused(error) | Self::Expired(error) => Some(error),
            Self::NoCookies => None,
        }
    }
}

/// The code and the status of an error, in one exhaustive list (RFC 6749 section 5.2, RFC 7009 section 2.2.1,
/// RFC 8707 section 2, RFC 6750 section 3.1).
#[must_use]
pub fn code_and_status(error: &OAuthError) -> (&'static str, StatusCode) {
    match error {
        OAuthError::InvalidRequest(_) => ("invalid_request", StatusCode::BAD_REQUEST),
        OAuthError::TooLarge => ("invalid_request", StatusCode::PAYLOAD_TOO_LARGE),
        OAuthError::NotFound(_) => ("not_found", StatusCode::NOT_FOUND),
        OAuthError::Conflict(_) => ("conflict", StatusCode::CONFLICT),
        OAuthError::InvalidClient(_) => ("invalid_client", StatusCode::UNAUTHORIZED),
        OAuthError::InvalidGrant(_) => ("invalid_grant", StatusCode::BAD_REQUEST),
        OAuthError::UnauthorizedClient(_) => ("unauthorized_client", StatusCode::BAD_REQUEST),
        OAuthError::UnsupportedGrantType(_) => ("unsupported_grant_type", StatusCode::BAD_REQUEST),
        OAuthError::InvalidScope(_) => ("invalid_scope", StatusCode::BAD_REQUEST),
        OAuthError::InvalidTarget(_) => ("invalid_target", StatusCode::BAD_REQUEST),
        OAuthError::UnsupportedTokenType(_) => ("unsupported_token_type", StatusCode::BAD_REQUEST),
        OAuthError::NoToken | OAuthError::InvalidToken(_) => ("invalid_token", StatusCode::UNAUTHORIZED),
        OAuthError::InsufficientScope(_) => ("insufficient_scope", StatusCode::FORBIDDEN),
        OAuthError::TooManyTries(_) => ("slow_down", StatusCode::TOO_MANY_REQUESTS),
        OAuthError::Unavailable(_) | OAuthError::Unfinished(_) => {
            ("temporarily_unavailable", StatusCode::SERVICE_UNAVAILABLE)
        }
        OAuthError::Internal(_) => ("server_error", StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// What the caller is told. Of broken plumbing: nothing but that it is not the caller's fault.
#[must_use]
pub fn description(error: &OAuthError) -> String {
    match error {
        OAuthError::InvalidRequest(text)
        | OAuthError::NotFound(text)
        | OAuthError::Conflict(text)
        | OAuthError::InvalidClient(text)
        | OAuthError::InvalidGrant(text)
        | OAuthError::UnauthorizedClient(text)
        | OAuthError::UnsupportedGrantType(text)
        | OAuthError::InvalidScope(text)
        | OAuthError::InvalidTarget(text)
        | OAuthError::UnsupportedTokenType(text)
        | OAuthError::InvalidToken(text)
        | OAuthError::InsufficientScope(text) => text.to_string(),
        OAuthError::NoToken => "send an access token: `Authorization: Bearer …`".to_owned(),
        OAuthError::TooLarge => "the request is larger than is read here".to_owned(),
        OAuthError::TooManyTries(wait) => format!("too many tries; come back in {} s", seconds_up(*wait)),
        OAuthError::Unavailable(_) => "the service cannot answer now; nothing was changed, try again".to_owned(),
        OAuthError::Unfinished(_) => {
            "the change is kept, but not yet in force everywhere; repeat the call to finish it".to_owned()
        }
        OAuthError::Internal(_) => "something is wrong on our side; the log has it under this request's id".to_owned(),
    }
}

/// When to come back, where the error says so.
#[must_use]
pub fn retry_after(error: &OAuthError) -> Option<u64> {
    match error {
        OAuthError::TooManyTries(wait) => Some(seconds_up(*wait)),
        OAuthError::Unavailable(unavailable) | OAuthError::Unfinished(unavailable) => {
            Some(seconds_up(unavailable.retry_after))
        }
        _ => None,
    }
}

fn seconds_up(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// The beginning of a refusal: status, `Retry-After`, and never cached.
#[must_use]
pub fn refusal(error: &OAuthError) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(code_and_status(error).1);
    response.insert_header((CACHE_CONTROL, "no-store"));
    if let Some(seconds) = retry_after(error) {
        response.insert_header((RETRY_AFTER, seconds));
    }
    response
}

/// Problem details (RFC 9457) without a type of their own.
#[must_use]
pub fn problem(status: StatusCode, detail: &str) -> HttpResponse {
    let title = status.canonical_reason().unwrap_or("Error");
    HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, "application/problem+json"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(json!({ "title": title, "status": status.as_u16(), "detail": detail }).to_string())
}

impl From<OAuthError> for OAuthRefusal {
    fn from(error: OAuthError) -> Self {
        Self(error)
    }
}

impl From<OAuthError> for PageRefusal {
    fn from(error: OAuthError) -> Self {
        Self::Refused(error)
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

impl From<OAuthError> for ProblemRefusal {
    fn from(error: OAuthError) -> Self {
        Self(error)
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

/// The error's code, its sentence, and everything behind it.
pub fn for_the_log(error: &OAuthError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{}: {}", code_and_status(error).0, with_causes(error))
}

impl ResponseError for OAuthRefusal {
    fn status_code(&self) -> StatusCode {
        code_and_status(&self.0).1
    }

    fn error_response(&self) -> HttpResponse {
        let (code, _) = code_and_status(&self.0);
        let mut response = refusal(&self.0);
        if matches!(self.0, OAuthError::InvalidClient(_)) {
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
        match &self.0 {
            // The challenge of a request without a token names no error (RFC 6750 section 3.1).
            OAuthError::NoToken => {
                response.insert_header((WWW_AUTHENTICATE, "Bearer realm=\"tokenhouse\""));
            }
            OAuthError::InvalidToken(_) | OAuthError::InsufficientScope(_) => {
                response.insert_header((WWW_AUTHENTICATE, format!("Bearer realm=\"tokenhouse\", error=\"{code}\"")));
            }
            _ => {}
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
