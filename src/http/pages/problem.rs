//! What keeps a person from going on, where the same page lets them try again.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};

use super::relative_time;
use super::texts::Message;

/// Why the form comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// User and password do not belong together; which of the two is wrong is never said.
    WrongPassword,
    /// A field was left empty.
    Missing,
    /// Too many tries; the next one in so long.
    TooManyTries(Duration),
    /// A store or the queue for passwords cannot answer; perhaps in so long.
    Unavailable(Duration),
    /// The form is older than what it belongs to.
    PageWasOld,
}

impl Problem {
    /// What the person is told.
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

    /// Whether it lies in what was typed.
    pub(super) fn lies_in_the_fields(self) -> bool {
        match self {
            Self::WrongPassword | Self::Missing => true,
            Self::TooManyTries(_) | Self::Unavailable(_) | Self::PageWasOld => false,
        }
    }

    /// The status of the page. A wrong password is no 401, which would have to name an authentication scheme of HTTP
    /// (RFC 9110 section 15.5.2).
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::WrongPassword | Self::PageWasOld => StatusCode::FORBIDDEN,
            Self::Missing => StatusCode::BAD_REQUEST,
            Self::TooManyTries(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// When to come back.
    fn wait(self) -> Option<Duration> {
        match self {
            Self::TooManyTries(wait) | Self::Unavailable(wait) => Some(wait),
            Self::WrongPassword | Self::Missing | Self::PageWasOld => None,
        }
    }
}

/// The status of a page with or without a problem.
pub(super) fn status(problem: Option<Problem>) -> StatusCode {
    problem.map_or(StatusCode::OK, Problem::status)
}

/// Adds `Retry-After` where the problem knows it.
pub(super) fn with_wait(mut page: HttpResponse, problem: Option<Problem>) -> HttpResponse {
    if let Some(wait) = problem.and_then(Problem::wait) {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        page.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    page
}
