//! The grants of the token endpoint (`grant_type`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{ErrorCode, OAuthError};

/// A grant with which a client obtains tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum GrantType {
    /// `authorization_code`: a user's authorization in the browser (OAuth 2.1 section 4.1).
    AuthorizationCode,
    /// `client_credentials`: the client acts for itself (RFC 6749 section 4.4).
    ClientCredentials,
    /// `refresh_token`: the next token pair of a session (RFC 6749 section 6).
    RefreshToken,
    /// The grant of the SimpleJWT-compatible API: user name and password from a first-party application. The token
    /// endpoint does not offer it; `grant_type=password` does not exist there (RFC 9700 section 2.4).
    SimpleJwt,
}

impl GrantType {
    pub const AT_TOKEN_ENDPOINT: [Self; 3] = [Self::AuthorizationCode, Self::ClientCredentials, Self::RefreshToken];

    /// The error for any other grant.
    #[must_use]
    pub fn not_offered() -> OAuthError {
        let offered = Self::AT_TOKEN_ENDPOINT.map(Self::as_str).join(", ");
        OAuthError::new(
            ErrorCode::UnsupportedGrantType,
            format!("this grant_type is not offered here; there are {offered}"),
        )
    }

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::ClientCredentials => "client_credentials",
            Self::RefreshToken => "refresh_token",
            Self::SimpleJwt => "simplejwt",
        }
    }
}

impl fmt::Display for GrantType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for GrantType {
    type Err = OAuthError;

    fn from_str(text: &str) -> Result<Self, OAuthError> {
        match text {
            "authorization_code" => Ok(Self::AuthorizationCode),
            "client_credentials" => Ok(Self::ClientCredentials),
            "refresh_token" => Ok(Self::RefreshToken),
            "simplejwt" => Ok(Self::SimpleJwt),
            _ => Err(Self::not_offered()),
        }
    }
}

impl TryFrom<String> for GrantType {
    type Error = OAuthError;

    fn try_from(text: String) -> Result<Self, OAuthError> {
        text.parse()
    }
}

impl From<GrantType> for &'static str {
    fn from(grant: GrantType) -> Self {
        grant.as_str()
    }
}
