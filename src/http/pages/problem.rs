//! Problems that the same page shows, so that the user can try again.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};

use super::relative_time;
use super::texts::Message;

/// Why a form is shown again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// User name and password do not match. The page never says which of the two is wrong.
    WrongPassword,
    Missing,
    /// Too many attempts; the next one is allowed after this time.
    TooManyTries(Duration),
    /// A store or the password queue cannot answer; it may after this time.
    Unavailable(Duration),
    PageWasOld,
}

impl Problem {
    #[must_use]
    pub(super) fn message(self) -> Message {
        match self {
            Self::WrongPassword => Message::plain("wrong-password"),
            Self::Missing => Message::plain("missing-password"),
            Self::TooManyTries(wait) => relative_time::too_many(wait),
            Self::Unavailable(_) => Message::plain("unavailable"),
            Self::PageWasOld => Message::plain("page-was-old"),
        }
    }

    /// Returns whether the entered values are the cause.
    pub(super) fn lies_in_the_fields(self) -> bool {
        match self {
            Self::WrongPassword | Self::Missing => true,
            Self::TooManyTries(_) | Self::Unavailable(_) | Self::PageWasOld => false,
        }
    }

    /// Returns the status of the page. A wrong password is not 401, which would have to name an HTTP authentication
    /// scheme (RFC 9110 section 15.5.2).
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::WrongPassword | Self::PageWasOld => StatusCode::FORBIDDEN,
            Self::Missing => StatusCode::BAD_REQUEST,
            Self::TooManyTries(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn wait(self) -> Option<Duration> {
        match self {
            Self::TooManyTries(wait) | Self::Unavailable(wait) => Some(wait),
            Self::WrongPassword | Self::Missing | Self::PageWasOld => None,
        }
    }
}

pub(super) fn status(problem: Option<Problem>) -> StatusCode {
    problem.map_or(StatusCode::OK, Problem::status)
}

/// Adds `Retry-After` where the problem has a delay.
pub(super) fn with_wait(mut page: HttpResponse, problem: Option<Problem>) -> HttpResponse {
    if let Some(wait) = problem.and_then(Problem::wait) {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        page.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    page
}
