//! The claims of an access token, typed.

use serde::{Deserialize, Deserializer, Serialize};

use crate::refusal::Refusal;

/// A verified access token: its claims (RFC 9068 section 2.2).
///
/// Only [`Verifier`](crate::Verifier) makes one, so holding it means that the signature, the issuer, the audience and
/// the times were checked. Times are seconds since 1970-01-01 UTC. Serialising it gives the claims back as JSON.
///
/// Two checks are not part of this. A token with [`cnf`](Self::cnf) requires a proof of possession, which
/// [`Verifier::verify_bound`](crate::Verifier::verify_bound) checks. Whether the session has ended meanwhile is in the
/// status list that [`status`](Self::status) names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AccessToken {
    /// The issuer's URL (RFC 7519 section 4.1.1).
    pub iss: String,
    /// The subject: the user's identifier, or the client's when no user is involved (RFC 9068 section 2.2).
    pub sub: String,
    /// The services that may accept the token. The token may spell a single one as a string or as an array
    /// (RFC 7519 section 4.1.3).
    pub aud: Vec<String>,
    /// The first second at which the token is not valid any more (RFC 7519 section 4.1.4).
    pub exp: i64,
    /// When the token was issued (RFC 7519 section 4.1.6).
    pub iat: i64,
    /// The first second at which the token is valid (RFC 7519 section 4.1.5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// The token's own identifier (RFC 7519 section 4.1.7).
    pub jti: String,
    /// The client that the token was issued to (RFC 8693 section 4.3).
    pub client_id: String,
    /// The scopes, separated by single spaces; empty when the token has none (RFC 8693 section 4.2).
    /// Ask with [`has_scope`](Self::has_scope).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// The session that the token belongs to (OpenID Connect Front-Channel Logout 1.0 section 3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// When the user signed in (OpenID Connect Core 1.0 section 2, RFC 9068 section 2.2.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// How strongly the user signed in: authentication context class (RFC 9068 section 2.2.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// The methods by which the user signed in, such as `pwd` and `otp` (RFC 8176 section 2); empty when absent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// The user's roles (RFC 9068 section 2.2.3.1); empty when absent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// The user's groups (RFC 9068 section 2.2.3.1); empty when absent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// `"access"` in a token of the SimpleJWT-compatible API, for services that use SimpleJWT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<String>,
    /// The user's identifier once more, in a token of the SimpleJWT-compatible API, for services that use SimpleJWT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The status list entry that says whether the token's session has ended (IETF Token Status List, section 6.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// The key that the sender must prove to hold (RFC 7800 section 3.1). A token with `cnf` is **not** a bearer token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
}

impl AccessToken {
    /// Whether the token has this one scope. Case matters (RFC 6749 section 3.3).
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        !scope.is_empty() && self.scope.split(' ').any(|granted| granted == scope)
    }

    /// Passes when the token has this one scope.
    ///
    /// # Errors
    /// [`Refusal::MissingScope`], which a resource server answers with status 403 and `insufficient_scope`
    /// (RFC 6750 section 3.1).
    pub fn require_scope(&self, scope: &str) -> Result<(), Refusal> {
        if self.has_scope(scope) { Ok(()) } else { Err(Refusal::MissingScope { scope: scope.to_owned() }) }
    }
}

/// The `status` claim (IETF Token Status List, section 6.2). A claim without `status_list` is refused, because a
/// revocation would go unnoticed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Status {
    /// The token's status index in a status list.
    pub status_list: StatusListEntry,
}

/// A status index in a status list (IETF Token Status List, section 6.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StatusListEntry {
    /// The index of the token's bit in the list.
    pub idx: u64,
    /// The URL of the signed list.
    pub uri: String,
}

/// The `cnf` claim: how the token is bound to a key (RFC 7800 section 3.1). At least one of the two members is present.
/// A token that is bound in another way is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "ConfirmationClaim")]
#[non_exhaustive]
pub struct Confirmation {
    /// The thumbprint of the key that must sign the DPoP proof (RFC 9449 section 6.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jkt: Option<String>,
    /// The thumbprint of the client's TLS certificate (RFC 8705 section 3.1).
    #[serde(rename = "x5t#S256", skip_serializing_if = "Option::is_none")]
    pub x5t_s256: Option<String>,
}

#[derive(Deserialize)]
struct ConfirmationClaim {
    #[serde(default, deserialize_with = "present")]
    jkt: Option<String>,
    #[serde(rename = "x5t#S256", default, deserialize_with = "present")]
    x5t_s256: Option<String>,
}

/// Reads a member that is present, so that `null` counts as a wrong type and not as absent.
fn present<'de, D: Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    String::deserialize(value).map(Some)
}

impl TryFrom<ConfirmationClaim> for Confirmation {
    type Error = &'static str;

    fn try_from(claim: ConfirmationClaim) -> Result<Self, Self::Error> {
        let ConfirmationClaim { jkt, x5t_s256 } = claim;
        if jkt.is_none() && x5t_s256.is_none() {
            return Err("the token is bound in a way that is not known");
        }
        Ok(Self { jkt, x5t_s256 })
    }
}
