//! Client authentication methods (`token_endpoint_auth_method`, RFC 7591 section 2).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::OAuthError;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum AuthMethod {
    /// `none`: a public client, identified by its `client_id` alone.
    None,
    /// `client_secret_basic`: HTTP Basic (RFC 6749 section 2.3.1). The default of a client that registers no method.
    #[default]
    ClientSecretBasic,
    /// `client_secret_post`: in the request body (RFC 6749 section 2.3.1).
    ClientSecretPost,
}

impl AuthMethod {
    pub const ALL: [Self; 3] = [Self::None, Self::ClientSecretBasic, Self::ClientSecretPost];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
        }
    }
}

impl fmt::Display for AuthMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AuthMethod {
    type Err = OAuthError;

    fn from_str(text: &str) -> Result<Self, OAuthError> {
        Self::ALL
            .into_iter()
            .find(|method| method.as_str() == text)
            .ok_or_else(|| OAuthError::invalid_request("this token_endpoint_auth_method is not offered"))
    }
}

impl TryFrom<String> for AuthMethod {
    type Error = OAuthError;

    fn try_from(text: String) -> Result<Self, OAuthError> {
        text.parse()
    }
}

impl From<AuthMethod> for &'static str {
    fn from(method: AuthMethod) -> Self {
        method.as_str()
    }
}
