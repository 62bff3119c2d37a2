//! One error for every rule: what the client is told, and who is at fault.

use std::borrow::Cow;
use std::time::Duration;

/// Why a request was not granted.
///
/// The text of a refusal goes to the client as `error_description` (RFC 6749 section 5.2), so it never holds more
/// than the caller may know. [`Error::Internal`] keeps its cause for the log. The codes belong to the wire
/// (`http/error.rs`): here is a sentence, for whoever reads it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A parameter is missing, repeated or malformed (RFC 6749 section 5.2).
    #[error("{0}")]
    InvalidRequest(Cow<'static, str>),
    /// The request is larger than is read (RFC 9110 section 15.5.14).
    #[error("the request is larger than is read here")]
    TooLarge,
    /// The thing that is to be changed does not exist (admin API).
    #[error("{0}")]
    NotFound(Cow<'static, str>),
    /// The state of the thing does not allow it now (admin API).
    #[error("{0}")]
    Conflict(Cow<'static, str>),
    /// The client is unknown or did not prove who it is (RFC 6749 section 5.2).
    #[error("{0}")]
    InvalidClient(Cow<'static, str>),
    /// The code, refresh token or assertion is not (or no longer) good. Clients sign their user out on it.
    #[error("{0}")]
    InvalidGrant(Cow<'static, str>),
    /// The client may not use this grant or endpoint (RFC 6749 section 5.2).
    #[error("{0}")]
    UnauthorizedClient(Cow<'static, str>),
    /// No such grant here (RFC 6749 section 5.2).
    #[error("{0}")]
    UnsupportedGrantType(Cow<'static, str>),
    /// The scope is malformed, unknown or more than may be granted (RFC 6749 section 5.2).
    #[error("{0}")]
    InvalidScope(Cow<'static, str>),
    /// The resource is unknown or not for this client (RFC 8707 section 2).
    #[error("{0}")]
    InvalidTarget(Cow<'static, str>),
    /// This kind of token cannot be revoked here (RFC 7009 section 2.2.1).
    #[error("{0}")]
    UnsupportedTokenType(Cow<'static, str>),
    /// The request came without a bearer token (RFC 6750 section 3).
    #[error("send an access token: `Authorization: Bearer …`")]
    NoToken,
    /// The bearer token is malformed, expired or revoked (RFC 6750 section 3.1).
    #[error("{0}")]
    InvalidToken(Cow<'static, str>),
    /// The bearer token lacks the scope that is asked for here (RFC 6750 section 3.1).
    #[error("{0}")]
    InsufficientScope(Cow<'static, str>),
    /// Too many tries; the caller may come back after this time (RFC 6585 section 4).
    #[error("too many tries, come back in {} s", .0.as_secs())]
    TooManyTries(Duration),
    /// A store or a queue cannot take the request now; nothing was consumed.
    #[error("{0}")]
    Unavailable(Unavailable),
    /// What was asked is in the database, and a store did not take the rest; repeating the call finishes it (admin
    /// API).
    #[error("the change is made, and not yet in force everywhere: {0}; repeat it")]
    Unfinished(Unavailable),
    /// Something of ours is broken.
    #[error(transparent)]
    Internal(#[from] Internal),
}

/// What could not be reached, for the log; the client learns only that it should come back.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Unavailable {
    /// Which part did not answer, in words.
    pub what: Cow<'static, str>,
    /// When to try again (`Retry-After`, RFC 9110 section 10.2.3).
    pub retry_after: Duration,
}

impl Unavailable {
    /// `what` did not answer; it is worth trying again in a second.
    pub fn new(what: impl Into<Cow<'static, str>>) -> Self {
        Self { what: what.into(), retry_after: Duration::from_secs(1) }
    }
}

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

impl Error {
    /// [`Error::InvalidRequest`] with this description.
    pub fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Self::InvalidRequest(description.into())
    }

    /// [`Error::InvalidGrant`] with this description.
    pub fn invalid_grant(description: impl Into<Cow<'static, str>>) -> Self {
        Self::InvalidGrant(description.into())
    }

    /// [`Error::InvalidScope`] with this description.
    pub fn invalid_scope(description: impl Into<Cow<'static, str>>) -> Self {
        Self::InvalidScope(description.into())
    }

    /// What remains of `self` when the database has the change already: [`Error::Unfinished`] where a store did
    /// not answer.
    #[must_use]
    pub fn unfinished(self) -> Self {
        match self {
            Self::Unavailable(unavailable) => Self::Unfinished(unavailable),
            other => other,
        }
    }

    /// [`Error::Unavailable`]: `what` did not answer.
    pub fn unavailable(what: impl Into<Cow<'static, str>>) -> Self {
        Self::Unavailable(Unavailable::new(what))
    }
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
