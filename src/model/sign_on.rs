//! How people signs in to an application through this server.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::SigningAlgorithm;
use crate::error::Internal;
use crate::protocol::ResponseMode;

/// What an application has registered about sign-in, by the names of OpenID Connect Dynamic Client
/// Registration 1.0 section 2 and of the logout specifications.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SignOn {
    /// The application's home page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_uri: Option<String>,
    /// Its picture, shown on the pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo_uri: Option<String>,
    /// What it does with what it learns of people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_uri: Option<String>,
    /// Its terms of service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tos_uri: Option<String>,
    /// Nobody vouches for who runs it: people are asked at every authorization.
    #[serde(skip_serializing_if = "is_false")]
    pub unverified: bool,
    /// How answers reach it; every way that the server knows, where empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub response_modes: Vec<ResponseMode>,
    /// Whether it must prove with PKCE that the code is its own; the server's rule where absent. A public client always
    /// must.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pkce: Option<Pkce>,
    /// `id_token_signed_response_alg`; the server's where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token_signed_response_alg: Option<SigningAlgorithm>,
    /// `userinfo_signed_response_alg`; plain JSON where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userinfo_signed_response_alg: Option<SigningAlgorithm>,
    /// By which name it knows people.
    #[serde(skip_serializing_if = "is_public")]
    pub subject_type: SubjectType,
    /// What pairwise names are made for; the host of its redirect URIs where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sector_identifier: Option<String>,
    /// `default_max_age`: the user must have proved who they are within this time.
    #[serde(with = "super::seconds", skip_serializing_if = "Option::is_none")]
    pub default_max_age: Option<Duration>,
    /// `initiate_login_uri`: where others may send people to signs in to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initiate_login_uri: Option<String>,
    /// `backchannel_logout_session_required`: logout tokens name the session.
    #[serde(skip_serializing_if = "is_false")]
    pub backchannel_logout_session_required: bool,
    /// `frontchannel_logout_uri`: loaded in the browser that signs out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frontchannel_logout_uri: Option<String>,
    /// `frontchannel_logout_session_required`: it is told which session of which issuer.
    #[serde(skip_serializing_if = "is_false")]
    pub frontchannel_logout_session_required: bool,
}

/// A change of some parts of [`SignOn`]: what is not named stays, `null` takes away (JSON Merge Patch, RFC 7396).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct SignOnChange(Map<String, Value>);

impl SignOnChange {
    /// The registration after the change.
    ///
    /// # Errors
    /// [`Internal`] when what was registered cannot be read again.
    pub fn of(self, previous: &SignOn) -> Result<SignOn, Internal> {
        let unreadable = |error| Internal::new("a registration cannot be changed", error);
        let mut parts: Map<String, Value> =
            serde_json::to_value(previous).and_then(serde_json::from_value).map_err(unreadable)?;
        parts.extend(self.0);
        parts.retain(|_, value| !value.is_null());
        serde_json::from_value(Value::Object(parts)).map_err(unreadable)
    }
}

/// Each part is checked by itself, so that the change fits whatever was registered before.
impl TryFrom<Map<String, Value>> for SignOnChange {
    type Error = serde_json::Error;

    fn try_from(parts: Map<String, Value>) -> Result<Self, Self::Error> {
        let all = parts.clone();
        let named: Map<String, Value> = all.into_iter().filter(|(_, value)| !value.is_null()).collect();
        serde_json::from_value::<SignOn>(Value::Object(named))?;
        // A name that is only cleared must be one too.
        for name in parts.iter().filter(|(_, value)| value.is_null()).map(|(name, _)| name) {
            let alone = Map::from_iter([(name.clone(), Value::Null)]);
            match serde_json::from_value::<SignOn>(Value::Object(alone)) {
                Err(error) if error.to_string().starts_with("unknown field") => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(Self(parts))
    }
}

/// Who must prove with PKCE that a code is theirs (RFC 7636, RFC 9700 section 2.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pkce {
    /// The application always must.
    Required,
    /// It may. What was begun with a challenge must be ended with the verifier all the same.
    Optional,
}

/// By which name an application knows people (OpenID Connect Core 1.0 section 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectType {
    /// All applications know a person by the same name.
    #[default]
    Public,
    /// Applications of different sectors know a person by different names.
    Pairwise,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_public(kind: &SubjectType) -> bool {
    matches!(kind, SubjectType::Public)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}
