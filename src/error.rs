//! The error of the rules, and what it is made of. What goes to a client is a registered code and a sentence; what goes to
//! the log has its causes.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::protocol::{ErrorCode, OAuthError};

/// Why a rule did not do what it was asked.
///
/// The sentences of the first three go to the caller, so they never say more than the caller may know. The causes of
/// [`Error::Unavailable`] and [`Error::Internal`] are for the log. `http/error.rs` makes responses of all of them.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request is refused with a registered code.
    #[error(transparent)]
    OAuth(#[from] OAuthError),
    /// The thing that is asked for or to be changed does not exist.
    #[error("{0}")]
    NotFound(Cow<'static, str>),
    /// The state of the thing does not allow the change now.
    #[error("{0}")]
    Conflict(Cow<'static, str>),
    /// There were too many attempts; the caller may come back after this time (RFC 6585 section 4).
    #[error("too many tries, come back in {} s", .0.as_secs())]
    TooManyRequests(Duration),
    /// A store or a queue cannot take the request now.
    #[error("{0}")]
    Unavailable(Unavailable),
    /// The server is at fault.
    #[error(transparent)]
    Internal(#[from] Internal),
}

impl Error {
    /// [`Error::OAuth`] with this code and description.
    pub fn oauth(code: ErrorCode, description: impl Into<Cow<'static, str>>) -> Self {
        Self::OAuth(OAuthError::new(code, description))
    }

    /// `invalid_request` with this description.
    pub fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Self::oauth(ErrorCode::InvalidRequest, description)
    }

    /// `invalid_grant` with this description.
    pub fn invalid_grant(description: impl Into<Cow<'static, str>>) -> Self {
        Self::oauth(ErrorCode::InvalidGrant, description)
    }

    /// `invalid_scope` with this description.
    pub fn invalid_scope(description: impl Into<Cow<'static, str>>) -> Self {
        Self::oauth(ErrorCode::InvalidScope, description)
    }

    /// [`Error::Unavailable`]: `what` did not answer, and nothing was changed.
    pub fn unavailable(what: impl Into<Cow<'static, str>>) -> Self {
        Self::Unavailable(Unavailable::new(what))
    }

    /// The registered code, if the error is an [`Error::OAuth`].
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

    /// The error, if the database has the change already: an [`Error::Unavailable`] then says [`Progress::Unfinished`].
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

/// What did not answer, for the log. The client learns only when to come back, and whether something was changed.
#[derive(Debug)]
pub struct Unavailable {
    /// The part that did not answer, in words.
    pub what: Cow<'static, str>,
    /// When to try again (`Retry-After`, RFC 9110 section 10.2.3).
    pub retry_after: Duration,
    /// What was done before.
    pub progress: Progress,
}

/// How far a request came before a part did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Nothing was changed or consumed.
    NotBegun,
    /// The database has the change, and it is not in force everywhere yet; repeating the call finishes it.
    Unfinished,
}

impl Unavailable {
    /// `what` did not answer, and nothing was changed; it is worth trying again in a second.
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

/// Broken plumbing, with its cause. Never shown to a client.
#[derive(Debug, thiserror::Error)]
#[error("{context}")]
pub struct Internal {
    /// What was being done.
    pub context: Cow<'static, str>,
    /// Why it failed.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Internal {
    /// Broken plumbing with a cause.
    pub fn new(
        context: impl Into<Cow<'static, str>>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { context: context.into(), source: Some(source.into()) }
    }

    /// A state that must not exist, described in words.
    pub fn inconsistent(context: impl Into<Cow<'static, str>>) -> Self {
        Self { context: context.into(), source: None }
    }
}

/// The error and everything behind it, in one line: for the log and for operators, never for a client. Some errors end
/// with the words of their cause, which is then not said again.
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
