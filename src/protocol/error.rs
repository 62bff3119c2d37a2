//! The registered error codes, and an error as RFC 6749 defines it.

use std::borrow::Cow;
use std::fmt;

/// A registered error code (IANA OAuth Extensions Error Registry).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// A parameter is missing, repeated or malformed (RFC 6749 sections 4.1.2.1 and 5.2).
    InvalidRequest,
    /// The client is unknown or did not authenticate (RFC 6749 section 5.2).
    InvalidClient,
    /// The code, refresh token or assertion is not valid, or no longer valid (RFC 6749 section 5.2). Clients sign
    /// their user out on it.
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
    /// As `authorization_pending`, and the device polls too often (RFC 8628 section 3.5). No other limit answers with
    /// it.
    SlowDown,
    /// The device code has expired (RFC 8628 section 3.5).
    ExpiredToken,
}

impl ErrorCode {
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

/// An error as it is sent to the client: a registered code and a description (RFC 6749 section 5.2).
///
/// The description is sent as `error_description`, so it must not reveal more than the caller may know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{description}")]
pub struct OAuthError {
    pub code: ErrorCode,
    /// Addressed to the developer of the client.
    pub description: Cow<'static, str>,
}

impl OAuthError {
    pub fn new(code: ErrorCode, description: impl Into<Cow<'static, str>>) -> Self {
        Self { code, description: description.into() }
    }

    pub fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidRequest, description)
    }

    pub fn invalid_scope(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidScope, description)
    }
}
