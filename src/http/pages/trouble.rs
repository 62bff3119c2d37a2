//! Errors, where no page lets the person try again: what is wrong in plain words, and what those need who can help. There
//! is no link on it, least of all one that the request has brought.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

use super::look::Look;
use super::moment;
use super::policy::Policy;
use super::texts::Message;
use crate::http::error::{code_and_status, description, for_the_log, retry_after};
use crate::protocol::OAuthError;

/// What is wrong.
#[derive(Debug)]
pub enum Trouble {
    /// A rule refused.
    Refused(OAuthError),
    /// The transaction is over, was finished, or belongs to another browser.
    Expired,
    /// The browser keeps no cookies.
    NoCookies,
}

/// A page that tells of trouble, as the error of a door.
#[derive(Debug)]
pub struct TroublePage {
    look: Look,
    trouble: Trouble,
}

impl Look {
    /// The page that tells of `trouble`.
    #[must_use]
    pub fn trouble(&self, trouble: impl Into<Trouble>) -> TroublePage {
        TroublePage { look: self.clone(), trouble: trouble.into() }
    }
}

impl From<OAuthError> for Trouble {
    fn from(error: OAuthError) -> Self {
        Self::Refused(error)
    }
}

#[derive(Serialize)]
struct Shown<'a> {
    title: String,
    explanation: String,
    status: u16,
    code: &'static str,
    description: Option<String>,
    request_id: Option<&'a str>,
}

/// The page.
#[must_use]
pub fn trouble(look: &Look, trouble: &Trouble) -> HttpResponse {
    let (title, explanation) = words(trouble);
    let (code, status) = code(trouble);
    let shown = Shown {
        title: look.say(&Message::plain(title)),
        explanation: look.say(&explanation),
        status: status.as_u16(),
        code,
        description: refusal(trouble).map(description),
        request_id: look.request_id.as_deref(),
    };
    let mut answer = look.answer(status, "trouble.html", &shown, &Policy::default().with_forms_here());
    if let Some(seconds) = refusal(trouble).and_then(retry_after) {
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}

fn refusal(trouble: &Trouble) -> Option<&OAuthError> {
    match trouble {
        Trouble::Refused(error) => Some(error),
        Trouble::Expired | Trouble::NoCookies => None,
    }
}

fn code(trouble: &Trouble) -> (&'static str, StatusCode) {
    match trouble {
        Trouble::Refused(error) => code_and_status(error),
        Trouble::Expired => ("expired", StatusCode::BAD_REQUEST),
        Trouble::NoCookies => ("no_cookies", StatusCode::BAD_REQUEST),
    }
}

fn words(trouble: &Trouble) -> (&'static str, Message) {
    let (title, explanation) = match trouble {
        Trouble::Expired => ("error-expired", "error-expired-explained"),
        Trouble::NoCookies => ("error-cookies", "error-cookies-explained"),
        Trouble::Refused(error) => match error {
            OAuthError::TooManyTries(wait) => return ("error-too-many", moment::too_many(*wait)),
            OAuthError::NotFound(_) => ("error-not-found", "error-not-found-explained"),
            OAuthError::InvalidToken(_) | OAuthError::InsufficientScope(_) => {
                ("error-refused", "error-refused-explained")
            }
            OAuthError::Unavailable(_) => ("error-away", "error-away-explained"),
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

impl fmt::Display for TroublePage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.trouble {
            Trouble::Refused(error) => for_the_log(error, f),
            Trouble::Expired | Trouble::NoCookies => f.write_str(code(&self.trouble).0),
        }
    }
}

impl ResponseError for TroublePage {
    fn status_code(&self) -> StatusCode {
        code(&self.trouble).1
    }

    fn error_response(&self) -> HttpResponse {
        trouble(&self.look, &self.trouble)
    }
}
