//! What is registered about a client. The model, the admin API, the command line and the database read and write this
//! one struct.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::SigningAlgorithm;
use crate::error::{Error, Internal};
use crate::protocol::merge_patch::misfit;
use crate::protocol::{AuthMethod, GrantType, MergePatch, OAuthError, RedirectUri, ResponseMode, Scope};

/// Client metadata by the names of RFC 7591 section 2, OpenID Connect Dynamic Client Registration 1.0 section 2 and the
/// logout specifications. Names that begin with `tokenhouse_` are this server's own, where no standard has a word.
/// `clients/check.rs` says which values go together.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "the members are those of the registration specifications")]
pub struct ClientMetadata {
    /// The name that users see; the `client_id` where absent.
    #[serde(skip_serializing_if = "is_default")]
    pub client_name: Option<String>,
    /// How it authenticates at the token endpoint. A client with `none` is public (RFC 6749 section 2.1).
    #[schema(value_type = String)]
    pub token_endpoint_auth_method: AuthMethod,
    /// What it may present at the token endpoint. None where absent, unlike in the standard, so it is always shown.
    #[schema(value_type = Vec<String>)]
    pub grant_types: Vec<GrantType>,
    /// The most that it may be granted.
    #[serde(skip_serializing_if = "is_default")]
    #[schema(value_type = String)]
    pub scope: Scope,
    /// Where authorization responses may go, compared byte by byte.
    #[serde(skip_serializing_if = "is_default")]
    #[schema(value_type = Vec<String>)]
    pub redirect_uris: Vec<RedirectUri>,
    /// How authorization responses reach it; every way that the server knows, where absent.
    #[serde(skip_serializing_if = "is_default")]
    #[schema(value_type = Vec<String>)]
    pub response_modes: Vec<ResponseMode>,
    /// Its home page.
    #[serde(skip_serializing_if = "is_default")]
    pub client_uri: Option<String>,
    /// Its picture, shown on the pages.
    #[serde(skip_serializing_if = "is_default")]
    pub logo_uri: Option<String>,
    /// What it does with what it learns of users.
    #[serde(skip_serializing_if = "is_default")]
    pub policy_uri: Option<String>,
    /// Its terms of service.
    #[serde(skip_serializing_if = "is_default")]
    pub tos_uri: Option<String>,
    /// The signature of its ID tokens; the server's algorithm where absent.
    #[serde(skip_serializing_if = "is_default")]
    #[schema(value_type = Option<String>)]
    pub id_token_signed_response_alg: Option<SigningAlgorithm>,
    /// The signature of userinfo responses; plain JSON where absent.
    #[serde(skip_serializing_if = "is_default")]
    #[schema(value_type = Option<String>)]
    pub userinfo_signed_response_alg: Option<SigningAlgorithm>,
    /// Which `sub` it knows users by.
    #[serde(skip_serializing_if = "is_default")]
    #[schema(value_type = String)]
    pub subject_type: SubjectType,
    /// The user must have authenticated within this time, in seconds.
    #[serde(with = "super::seconds", skip_serializing_if = "is_default")]
    #[schema(value_type = Option<u64>)]
    pub default_max_age: Option<Duration>,
    /// Where others may send users to sign in to it (OpenID Connect Core 1.0 section 4).
    #[serde(skip_serializing_if = "is_default")]
    pub initiate_login_uri: Option<String>,
    /// Where users may return to after they have signed out.
    #[serde(skip_serializing_if = "is_default")]
    #[schema(value_type = Vec<String>)]
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// Where logout tokens are posted to.
    #[serde(skip_serializing_if = "is_default")]
    pub backchannel_logout_uri: Option<String>,
    /// Logout tokens name the session.
    #[serde(skip_serializing_if = "is_default")]
    pub backchannel_logout_session_required: bool,
    /// A page that is loaded in the browser that signs out.
    #[serde(skip_serializing_if = "is_default")]
    pub frontchannel_logout_uri: Option<String>,
    /// That page is told which session of which issuer is over.
    #[serde(skip_serializing_if = "is_default")]
    pub frontchannel_logout_session_required: bool,
    /// First-party: no consent page.
    #[serde(rename = "tokenhouse_trusted", skip_serializing_if = "is_default")]
    pub trusted: bool,
    /// Nobody vouches for who runs it: users are asked for consent at every authorization.
    #[serde(rename = "tokenhouse_unverified", skip_serializing_if = "is_default")]
    pub unverified: bool,
    /// The `aud` of its access tokens. Where absent, the issuer; for users' tokens of a client that is not trusted, the
    /// client itself.
    #[serde(rename = "tokenhouse_audience", skip_serializing_if = "is_default")]
    pub audience: Vec<String>,
    /// Whether it must use PKCE; the server's rule where absent. A public client always must.
    #[serde(rename = "tokenhouse_pkce", skip_serializing_if = "is_default")]
    #[schema(value_type = Option<String>)]
    pub pkce: Option<Pkce>,
    /// The host for which pairwise names are made; that of the redirect URIs where absent. It takes the place of
    /// `sector_identifier_uri`, which names a document to be fetched.
    #[serde(rename = "tokenhouse_sector_identifier", skip_serializing_if = "is_default")]
    pub sector_identifier: Option<String>,
    /// The signature of its access tokens; the server's algorithm where absent.
    #[serde(rename = "tokenhouse_access_token_signed_response_alg", skip_serializing_if = "is_default")]
    #[schema(value_type = Option<String>)]
    pub access_token_signed_response_alg: Option<SigningAlgorithm>,
    /// How long its access tokens are valid, in seconds; the server's setting where absent.
    #[serde(rename = "tokenhouse_access_token_lifetime", with = "super::seconds", skip_serializing_if = "is_default")]
    #[schema(value_type = Option<u64>)]
    pub access_token_lifetime: Option<Duration>,
    /// How long its refresh tokens are valid, in seconds; the server's setting where absent.
    #[serde(rename = "tokenhouse_refresh_token_lifetime", with = "super::seconds", skip_serializing_if = "is_default")]
    #[schema(value_type = Option<u64>)]
    pub refresh_token_lifetime: Option<Duration>,
    /// How its refresh tokens rotate.
    #[serde(rename = "tokenhouse_refresh", skip_serializing_if = "is_default")]
    #[schema(value_type = Object)]
    pub refresh: RefreshPolicy,
}

/// How a client's refresh tokens rotate; windows in whole seconds. Absent fields follow the server's settings.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RefreshPolicy {
    /// How long a used token is answered with its successor again (double click, two tabs, quick retry).
    #[serde(with = "super::seconds", skip_serializing_if = "is_default")]
    pub retry_window: Option<Duration>,
    /// How long a lost answer is re-issued; where neither client nor server sets it, as long as the token itself lives.
    #[serde(with = "super::seconds", skip_serializing_if = "is_default")]
    pub lost_response_window: Option<Duration>,
    /// The same token is returned at every refresh (FAPI 2.0 advises it for sender-constrained tokens).
    #[serde(skip_serializing_if = "is_default")]
    pub fixed: bool,
    /// What happens from the third generation on that was repeated in a row.
    #[serde(skip_serializing_if = "is_default")]
    pub on_repeated: RepeatedRefresh,
}

/// What happens when generation after generation of a session's tokens is presented twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RepeatedRefresh {
    /// An audit event `refresh_repeated`.
    #[default]
    Report,
    /// The event, and the session ends.
    EndSession,
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

/// Which `sub` a client knows users by (OpenID Connect Core 1.0 section 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectType {
    /// All clients know a user by the same name.
    #[default]
    Public,
    /// Clients of different sectors know a user by different names.
    Pairwise,
}

impl ClientMetadata {
    /// The metadata after a change (RFC 7396). Whether its values go together is checked elsewhere.
    ///
    /// # Errors
    /// `invalid_request` with the first member that there is not or whose value does not fit.
    pub fn patched(&self, patch: &MergePatch) -> Result<Self, Error> {
        refuse_unknown_nulls(patch.members(), &|members| members)?;
        let unreadable = |error| Internal::new("client metadata cannot be changed", error);
        let mut members = serde_json::to_value(self).and_then(serde_json::from_value).map_err(unreadable)?;
        patch.apply(&mut members);
        // Each by itself, so that the error can name it.
        for name in patch.members().keys() {
            let Some(value) = members.get(name) else { continue };
            let alone = Map::from_iter([(name.clone(), value.clone())]);
            serde_json::from_value::<Self>(Value::Object(alone)).map_err(|error| misfit(name, &error))?;
        }
        Ok(serde_json::from_value(Value::Object(members)).map_err(unreadable)?)
    }
}

/// Refuses a `null` under a name that there is not, which the merged object no longer shows. `within` puts members where
/// these stand.
fn refuse_unknown_nulls(
    members: &Map<String, Value>,
    within: &dyn Fn(Map<String, Value>) -> Map<String, Value>,
) -> Result<(), OAuthError> {
    for (name, value) in members {
        let at_name = |value: Value| within(Map::from_iter([(name.clone(), value)]));
        match value {
            Value::Null => match serde_json::from_value::<ClientMetadata>(Value::Object(at_name(Value::Null))) {
                Err(error) if error.to_string().starts_with("unknown field") => return Err(misfit(name, &error)),
                Ok(_) | Err(_) => {}
            },
            Value::Object(inner) => refuse_unknown_nulls(inner, &|members| at_name(Value::Object(members)))?,
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {}
        }
    }
    Ok(())
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn patch(value: Value) -> MergePatch {
        serde_json::from_value(value).unwrap()
    }

    fn metadata(value: Value) -> ClientMetadata {
        ClientMetadata::default().patched(&patch(value)).unwrap()
    }

    #[test]
    fn a_patch_changes_what_it_names_removes_what_is_null_and_leaves_the_rest() {
        let before = metadata(json!({
            "client_name": "Shop",
            "scope": "read write",
            "tokenhouse_trusted": true,
            "tokenhouse_refresh": { "retry_window": 5, "fixed": true },
        }));

        let change = json!({
            "client_name": null,
            "tokenhouse_trusted": null,
            "grant_types": ["refresh_token"],
            "tokenhouse_refresh": { "fixed": null, "on_repeated": "end_session" },
        });
        let after = before.patched(&patch(change)).unwrap();

        let expected = ClientMetadata {
            grant_types: vec![GrantType::RefreshToken],
            scope: Scope::parse("read write").unwrap(),
            refresh: RefreshPolicy {
                retry_window: Some(Duration::from_secs(5)),
                on_repeated: RepeatedRefresh::EndSession,
                ..RefreshPolicy::default()
            },
            ..ClientMetadata::default()
        };
        assert_eq!(after, expected);
        let default = json!({ "token_endpoint_auth_method": "client_secret_basic", "grant_types": [] });
        assert_eq!(serde_json::to_value(ClientMetadata::default()).unwrap(), default);
        assert_eq!(
            after.patched(&patch(json!({ "tokenhouse_refresh": null }))).unwrap().refresh,
            RefreshPolicy::default()
        );
    }

    #[test]
    fn a_name_that_there_is_not_is_refused_wherever_it_stands_and_whatever_it_holds() {
        for (change, name) in [
            (json!({ "no_such": 1 }), "no_such"),
            (json!({ "no_such": null }), "no_such"),
            (json!({ "no_such": {} }), "no_such"),
            (json!({ "no_such": { "client_name": null } }), "no_such"),
            (json!({ "subject_type": null, "no_such": null }), "no_such"),
            (json!({ "tokenhouse_refresh": { "no_such": 1 } }), "no_such"),
            (json!({ "tokenhouse_refresh": { "no_such": null } }), "no_such"),
            (json!({ "trusted": true }), "trusted"),
        ] {
            let error = ClientMetadata::default().patched(&patch(change.clone())).unwrap_err().to_string();
            assert!(error.starts_with(&format!("unknown field `{name}`")), "{change}: {error}");
        }
    }

    #[test]
    fn a_value_that_does_not_fit_is_named_and_not_repeated() {
        for (change, says) in [
            (json!({ "tokenhouse_pkce": "hunter2" }), "tokenhouse_pkce: expected `required` or `optional`"),
            (json!({ "default_max_age": -1 }), "default_max_age: expected u64"),
            (json!({ "client_name": ["hunter2"] }), "client_name: expected a string"),
            (json!({ "client_name": { "hunter2": null } }), "client_name: expected a string"),
            (json!({ "tokenhouse_refresh": 7 }), "tokenhouse_refresh: expected struct RefreshPolicy"),
            (json!({ "grant_types": ["hunter2"] }), "grant_types: this grant_type is not offered here"),
            (json!({ "redirect_uris": ["http://hunter2.example/"] }), "redirect_uris: http is for loopback"),
        ] {
            let error = ClientMetadata::default().patched(&patch(change.clone())).unwrap_err().to_string();
            assert!(error.starts_with(says) && !error.contains("hunter2"), "{change}: {error}");
        }
    }
}
