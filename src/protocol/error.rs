//! Errors: what RFC 6749 and its relatives call one, and what a rule fails with.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

/// A registered error code (IANA OAuth Extensions Error Registry).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// A parameter is missing, repeated or malformed (RFC 6749 sections 4.1.2.1 and 5.2).
    InvalidRequest,
    /// The client is unknown or did not authenticate (RFC 6749 section 5.2).
    InvalidClient,
    /// The code, refresh token or assertion is not valid, or not any more (RFC 6749 section 5.2). Clients sign their
    /// user out on it.
    InvalidGrant,
    /// The client may not use this grant, response type or endpoint (RFC 6749 sections 4.1.2.1 and 5.2).
    UnauthorizedClient,
    /// The grant type is not offered (RFC 6749 section 5.2).
    UnsupportedGrantType,
    /// The scope is malformed, unknown or more than may be granted (RFC 6749 sections 4.1.2.1 and 5.2).
    InvalidScope,
    /// The user or the server denied the request (RFC 6749 section 4.1.2.1).
    AccessDenied,
    /// The response type is not offered (RFC 6749 section 4.1.2.1).
    UnsupportedResponseType,
    /// The server is at fault (RFC 6749 section 4.1.2.1).
    ServerError,
    /// The server cannot answer now (RFC 6749 section 4.1.2.1).
    TemporarilyUnavailable,
    /// The access token is malformed, expired or revoked (RFC 6750 section 3.1).
    InvalidToken,
    /// The access token lacks the scope that this request needs (RFC 6750 section 3.1).
    InsufficientScope,
    /// A token of this type cannot be revoked (RFC 7009 section 2.2.1).
    UnsupportedTokenType,
    /// The resource is unknown or not for this client (RFC 8707 section 2).
    InvalidTarget,
    /// The user would have to sign in, and `prompt=none` forbids to ask (OpenID Connect Core 1.0 section 3.1.2.6).
    LoginRequired,
    /// The user would have to choose an account, and `prompt=none` forbids to ask (OpenID Connect Core 1.0 section
    /// 3.1.2.6).
    AccountSelectionRequired,
    /// The user would have to consent, and `prompt=none` forbids to ask (OpenID Connect Core 1.0 section 3.1.2.6).
    ConsentRequired,
    /// Request objects are not offered (OpenID Connect Core 1.0 section 3.1.2.6).
    RequestNotSupported,
    /// Request objects by reference are not offered (OpenID Connect Core 1.0 section 3.1.2.6).
    RequestUriNotSupported,
    /// The `registration` parameter is not offered (OpenID Connect Core 1.0 section 3.1.2.6).
    RegistrationNotSupported,
    /// The user has not decided yet; the device asks again (RFC 8628 section 3.5).
    AuthorizationPending,
    /// As `authorization_pending`, and the device asks too often (RFC 8628 section 3.5). No other limit answers with it.
    SlowDown,
    /// The device code has expired (RFC 8628 section 3.5).
    ExpiredToken,
}

impl ErrorCode {
    /// The value of `error` on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::AccessDenied => "access_denied",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::UnsupportedTokenType => "unsupported_token_type",
            Self::InvalidTarget => "invalid_target",
            Self::LoginRequired => "login_required",
            Self::AccountSelectionRequired => "account_selection_required",
            Self::ConsentRequired => "consent_required",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::RegistrationNotSupported => "registration_not_supported",
            Self::AuthorizationPending => "authorization_pending",
            Self::SlowDown => "slow_down",
            Self::ExpiredToken => "expired_token",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An error as the client is told it: a registered code and a sentence (RFC 6749 section 5.2).
///
/// The sentence is sent as `error_description`, so it never says more than the caller may know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{description}")]
pub struct OAuthError {
    /// The code.
    pub code: ErrorCode,
    /// The sentence, for the developer of the client.
    pub description: Cow<'static, str>,
}

impl OAuthError {
    /// An error of this code.
    pub fn new(code: ErrorCode, description: impl Into<Cow<'static, str>>) -> Self {
        Self { code, description: description.into() }
    }

    /// `invalid_request` with this description.
    pub fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidRequest, description)
    }

    /// `invalid_scope` with this description.
    pub fn invalid_scope(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidScope, description)
    }
}


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
