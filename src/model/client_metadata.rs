//! Client metadata. The model, the admin API, the command line and the database read and write this one struct.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::SigningAlgorithm;
use crate::error::{Error, Internal};
use crate::protocol::merge_patch::misfit;
use crate::protocol::{AuthMethod, GrantType, MergePatch, OAuthError, RedirectUri, ResponseMode, Scope};

/// Client metadata by the names of RFC 7591 section 2, OpenID Connect Dynamic Client Registration 1.0 section 2 and
/// the logout specifications. Members that begin with `tokenhouse_` are extensions of this server. `clients/check.rs`
/// checks which values are compatible.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "the members are those of the registration specifications")]
pub struct ClientMetadata {
    /// The name that users see; the `client_id` where absent.
    #[serde(skip_serializing_if = "is_default")]
    pub client_name: Option<String>,
    /// Authentication at the token endpoint. A client with `none` is public (RFC 6749 section 2.1).
    #[schema(value_type = String)]
    pub token_endpoint_auth_method: AuthMethod,
    /// Grants that it may use. None where absent, unlike in the standard, so the member is always shown.
    #[schema(value_type = Vec<String>)]
    pub grant_types: Vec<GrantType>,
    /// The largest scope that it may be granted.
    #[serde(skip_serializing_if = "is_default")]
    #[schema(value_type = String)]
    pub scope: Scope,
    /// Addresses for authorization responses, compared byte by byte.
    #[serde(skip_serializing_if = "is_default")]
    #[schema(value_type = Vec<String>)]
    pub redirect_uris: Vec<RedirectUri>,
    /// How authorization responses are returned; every supported mode where absent.
    #[serde(skip_serializing_if = "is_default")]
    #[schema(value_type = Vec<String>)]
    pub response_modes: Vec<ResponseMode>,
    #[serde(skip_serializing_if = "is_default")]
    pub client_uri: Option<String>,
    /// Its logo, shown on the pages.
    #[serde(skip_serializing_if = "is_default")]
    pub logo_uri: Option<String>,
    /// Its policy on the use of data about users.
    #[serde(skip_serializing_if = "is_default")]
    pub policy_uri: Option<String>,
    #[serde(skip_serializing_if = "is_default")]
    pub tos_uri: Option<String>,
    /// Signature algorithm of its ID tokens; the server's default where absent.
    #[serde(skip_serializing_if = "is_default")]
    #[schema(value_type = Option<String>)]
    pub id_token_signed_response_alg: Option<SigningAlgorithm>,
    /// Signature algorithm of userinfo responses; plain JSON where absent.
    #[serde(skip_serializing_if = "is_default")]
    #[schema(value_type = Option<String>)]
    pub userinfo_signed_response_alg: Option<SigningAlgorithm>,
    /// Whether `sub` differs from that of other clients.
    #[serde(skip_serializing_if = "is_default")]
    #[schema(value_type = String)]
    pub subject_type: SubjectType,
    /// The longest time since the user's authentication, in seconds.
    #[serde(with = "super::seconds", skip_serializing_if = "is_default")]
    #[schema(value_type = Option<u64>)]
    pub default_max_age: Option<Duration>,
    /// Where other sites may send users to sign in to it (OpenID Connect Core 1.0 section 4).
    #[serde(skip_serializing_if = "is_default")]
    pub initiate_login_uri: Option<String>,
    /// Where users may return to after logout.
    #[serde(skip_serializing_if = "is_default")]
    #[schema(value_type = Vec<String>)]
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// Where logout tokens are posted to.
    #[serde(skip_serializing_if = "is_default")]
    pub backchannel_logout_uri: Option<String>,
    /// Logout tokens name the session (`sid`).
    #[serde(skip_serializing_if = "is_default")]
    pub backchannel_logout_session_required: bool,
    /// A page that is loaded in the browser that signs out.
    #[serde(skip_serializing_if = "is_default")]
    pub frontchannel_logout_uri: Option<String>,
    /// That page receives the issuer and the session (`iss`, `sid`).
    #[serde(skip_serializing_if = "is_default")]
    pub frontchannel_logout_session_required: bool,
    /// A first-party client: no consent page.
    #[serde(rename = "tokenhouse_trusted", skip_serializing_if = "is_default")]
    pub trusted: bool,
    /// The operator of the client is not verified: users are asked for consent at every authorization.
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
    /// The host for which pairwise identifiers are derived; that of the redirect URIs where absent. It replaces
    /// `sector_identifier_uri`, which names a document to be fetched.
    #[serde(rename = "tokenhouse_sector_identifier", skip_serializing_if = "is_default")]
    pub sector_identifier: Option<String>,
    /// Signature algorithm of its access tokens; the server's default where absent.
    #[serde(rename = "tokenhouse_access_token_signed_response_alg", skip_serializing_if = "is_default")]
    #[schema(value_type = Option<String>)]
    pub access_token_signed_response_alg: Option<SigningAlgorithm>,
    /// Lifetime of its access tokens, in seconds; the server's setting where absent.
    #[serde(rename = "tokenhouse_access_token_lifetime", with = "super::seconds", skip_serializing_if = "is_default")]
    #[schema(value_type = Option<u64>)]
    pub access_token_lifetime: Option<Duration>,
    /// Lifetime of its refresh tokens, in seconds; the server's setting where absent.
    #[serde(rename = "tokenhouse_refresh_token_lifetime", with = "super::seconds", skip_serializing_if = "is_default")]
    #[schema(value_type = Option<u64>)]
    pub refresh_token_lifetime: Option<Duration>,
    /// How its refresh tokens rotate.
    #[serde(rename = "tokenhouse_refresh", skip_serializing_if = "is_default")]
    #[schema(value_type = Object)]
    pub refresh: RefreshPolicy,
}

/// How a client's refresh tokens rotate. Windows are in whole seconds. Absent members follow the server's settings.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RefreshPolicy {
    /// How long a used token is answered with its successor again (double click, two tabs, quick retry).
    #[serde(with = "super::seconds", skip_serializing_if = "is_default")]
    pub retry_window: Option<Duration>,
    /// How long a lost response is re-issued; where neither client nor server sets it, as long as the token itself is
    /// valid.
    #[serde(with = "super::seconds", skip_serializing_if = "is_default")]
    pub lost_response_window: Option<Duration>,
    /// Every refresh returns the same token (FAPI 2.0 advises it for sender-constrained tokens).
    #[serde(skip_serializing_if = "is_default")]
    pub fixed: bool,
    /// What happens from the third repeated generation in a row on.
    #[serde(skip_serializing_if = "is_default")]
    pub on_repeated: RepeatedRefresh,
}

/// What happens when successive generations of a session's tokens are each presented twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RepeatedRefresh {
    /// The audit event `refresh_repeated` is written.
    #[default]
    Report,
    /// The event is written, and the session ends.
    EndSession,
}

/// Whether a client must use PKCE (RFC 7636, RFC 9700 section 2.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pkce {
    Required,
    /// A flow that began with a challenge still needs its verifier.
    Optional,
}

/// Which `sub` identifies a user to a client (OpenID Connect Core 1.0 section 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectType {
    /// All clients see the same `sub`.
    #[default]
    Public,
    /// Clients of different sectors see different values.
    Pairwise,
}

impl ClientMetadata {
    /// Returns the metadata after a merge patch (RFC 7396). `clients/check.rs` checks whether its values are
    /// compatible.
    ///
    /// # Errors
    /// `invalid_request` that names the first member that does not exist or whose value does not fit.
    pub fn patched(&self, patch: &MergePatch) -> Result<Self, Error> {
        refuse_unknown_nulls(patch.members(), &|members| members)?;
        let unreadable = |error| Internal::new("client metadata cannot be changed", error);
        let mut members = serde_json::to_value(self).and_then(serde_json::from_value).map_err(unreadable)?;
        patch.apply(&mut members);
        // Each member by itself, so that the error can name it.
        for name in patch.members().keys() {
            let Some(value) = members.get(name) else { continue };
            let alone = Map::from_iter([(name.clone(), value.clone())]);
            serde_json::from_value::<Self>(Value::Object(alone)).map_err(|error| misfit(name, &error))?;
        }
        Ok(serde_json::from_value(Value::Object(members)).map_err(unreadable)?)
    }
}

/// Refuses a `null` under an unknown name, which the merged object no longer contains. `within` nests members under
/// the names that lead to them.
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
