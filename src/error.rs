//! The error of the rules, and its parts. A client gets a registered code and a sentence; the log gets the causes.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::protocol::{ErrorCode, OAuthError};

/// Why a rule did not do what was requested.
///
/// The sentences of the first three go to the caller, so they never say more than the caller may know. The causes of
/// [`Error::Unavailable`] and [`Error::Internal`] are for the log. `http/error.rs` turns all of them into responses.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    OAuth(#[from] OAuthError),
    /// What is requested or to be changed does not exist.
    #[error("{0}")]
    NotFound(Cow<'static, str>),
    /// The state of the object does not allow the change now.
    #[error("{0}")]
    Conflict(Cow<'static, str>),
    /// There were too many attempts. The caller may try again after this time (RFC 6585 section 4).
    #[error("too many tries, come back in {} s", .0.as_secs())]
    TooManyRequests(Duration),
    /// A store or a queue cannot take the request now.
    #[error("{0}")]
    Unavailable(Unavailable),
    #[error(transparent)]
    Internal(#[from] Internal),
}

impl Error {
    pub fn oauth(code: ErrorCode, description: impl Into<Cow<'static, str>>) -> Self {
        Self::OAuth(OAuthError::new(code, description))
    }

    pub fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Self::oauth(ErrorCode::InvalidRequest, description)
    }

    pub fn invalid_grant(description: impl Into<Cow<'static, str>>) -> Self {
        Self::oauth(ErrorCode::InvalidGrant, description)
    }

    pub fn invalid_scope(description: impl Into<Cow<'static, str>>) -> Self {
        Self::oauth(ErrorCode::InvalidScope, description)
    }

    /// Builds [`Error::Unavailable`]: `what` did not answer, and nothing was changed.
    pub fn unavailable(what: impl Into<Cow<'static, str>>) -> Self {
        Self::Unavailable(Unavailable::new(what))
    }

    #[must_use]
    pub const fn oauth_code(&self) -> Option<ErrorCode> {
        match self {
            Self::OAuth(error) => Some(error.code),
            Self::NotFound(_)
            | Self::Conflict(_)
            | Self::TooManyRequests(_)
            | Self::Unavailable(_)
            | Self::Internal(_) => None,
        }
    }

    /// Marks the error as raised after the database has the change: an [`Error::Unavailable`] then carries
    /// [`Progress::Unfinished`].
    #[must_use]
    pub fn unfinished(self) -> Self {
        match self {
            Self::Unavailable(unavailable) => {
                Self::Unavailable(Unavailable { progress: Progress::Unfinished, ..unavailable })
            }
            other @ (Self::OAuth(_)
            | Self::NotFound(_)
            | Self::Conflict(_)
            | Self::TooManyRequests(_)
            | Self::Internal(_)) => other,
        }
    }
}

/// What did not answer, for the log. The client learns only when to try again, and whether something was changed.
#[derive(Debug)]
pub struct Unavailable {
    pub what: Cow<'static, str>,
    /// `Retry-After` (RFC 9110 section 10.2.3).
    pub retry_after: Duration,
    pub progress: Progress,
}

/// How far a request came before a part did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Nothing was changed or consumed.
    NotBegun,
    /// The database has the change, which is not in force everywhere yet. Repeating the call finishes it.
    Unfinished,
}

impl Unavailable {
    /// Builds the error for `what`, with nothing changed and a retry after one second.
    pub fn new(what: impl Into<Cow<'static, str>>) -> Self {
        Self { what: what.into(), retry_after: Duration::from_secs(1), progress: Progress::NotBegun }
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.progress {
            Progress::NotBegun => f.write_str(&self.what),
            Progress::Unfinished => {
                write!(f, "the change is made, and not yet in force everywhere: {}; repeat it", self.what)
            }
        }
    }
}

impl std::error::Error for Unavailable {}

/// A fault of the server, with its cause. It is never shown to a client.
#[derive(Debug, thiserror::Error)]
#[error("{context}")]
pub struct Internal {
    pub context: Cow<'static, str>,
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Internal {
    pub fn new(
        context: impl Into<Cow<'static, str>>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { context: context.into(), source: Some(source.into()) }
    }

    /// Describes a state that must not exist.
    pub fn inconsistent(context: impl Into<Cow<'static, str>>) -> Self {
        Self { context: context.into(), source: None }
    }
}

/// Writes the error and its causes in one line, for the log and for operators, never for a client. A cause with whose
/// text the line already ends is left out.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    for cause in std::iter::successors(error.source(), |cause| cause.source()) {
        let cause = cause.to_string();
        if !said.ends_with(&cause) {
            said.push_str(": ");
            said.push_str(&cause);
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_an_error_repeats_is_said_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("error communicating: {0}")]
        struct Repeats(#[source] std::fmt::Error);

        let cause = std::fmt::Error.to_string();

        assert_eq!(with_causes(&Repeats(std::fmt::Error)), format!("error communicating: {cause}"));
        let internal = Internal::new("store", Repeats(std::fmt::Error));
        assert_eq!(with_causes(&internal), format!("store: error communicating: {cause}"));
    }
}
