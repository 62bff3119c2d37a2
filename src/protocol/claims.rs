//! Claims about users: which scope requests which (OpenID Connect Core 1.0 section 5.4), and requests for single
//! claims by name (section 5.5).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{OAuthError, Scope};

/// The longest `claims` parameter that is accepted, in bytes.
const LONGEST: usize = 8 * 1024;

/// The claims that each scope requests. `roles` and `groups` are extensions of this server.
pub const BY_SCOPE: [(&str, &[&str]); 6] = [
    (
        "profile",
        &[
            "name",
            "family_name",
            "given_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
    ),
    ("email", &["email", "email_verified"]),
    ("address", &["address"]),
    ("phone", &["phone_number", "phone_number_verified"]),
    ("roles", &["roles"]),
    ("groups", &["groups"]),
];

/// The scope that requests this claim; `None` for a claim that this server does not know.
#[must_use]
pub fn scope_of(name: &str) -> Option<&'static str> {
    BY_SCOPE.iter().find(|(_, claims)| claims.contains(&name)).map(|(scope, _)| *scope)
}

/// Whether `scope` gives access to the claim `name`.
#[must_use]
pub fn is_within(name: &str, scope: &Scope) -> bool {
    scope_of(name).is_some_and(|word| scope.contains(word))
}

/// The parameter `claims`, as far as this server supports it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ClaimsRequest {
    /// Known claims to return from userinfo.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub userinfo: Vec<String>,
    /// Known claims to put into the ID token.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub id_token: Vec<String>,
    /// The only user who may answer (`sub` with a `value`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
}

impl ClaimsRequest {
    /// Reads the parameter. Unknown claims are left out, and so are requested values, except that of `sub`.
    pub fn parse(text: &str) -> Result<Self, OAuthError> {
        let malformed = || OAuthError::invalid_request("claims is a JSON object (OpenID Connect Core 1.0 section 5.5)");
        if text.len() > LONGEST {
            return Err(malformed());
        }
        let all: Map<String, Value> = serde_json::from_str(text).map_err(|_| malformed())?;
        let part = |name: &str| match all.get(name) {
            None | Some(Value::Null) => Ok(Map::new()),
            Some(Value::Object(part)) => Ok(part.clone()),
            Some(_) => Err(malformed()),
        };
        let (userinfo, id_token) = (part("userinfo")?, part("id_token")?);
        let known = |part: &Map<String, Value>| part.keys().filter(|name| scope_of(name).is_some()).cloned().collect();
        let sub = [&id_token, &userinfo]
            .into_iter()
            .find_map(|part| part.get("sub")?.get("value")?.as_str())
            .map(str::to_owned);
        Ok(Self { userinfo: known(&userinfo), id_token: known(&id_token), sub })
    }

    /// Keeps the claims to which `scope` gives access.
    #[must_use]
    pub fn within(mut self, scope: &Scope) -> Self {
        self.userinfo.retain(|name| is_within(name, scope));
        self.id_token.retain(|name| is_within(name, scope));
        self
    }

    /// The scopes that request these claims.
    #[must_use]
    pub fn scope(&self) -> Scope {
        Scope::of(self.userinfo.iter().chain(&self.id_token).filter_map(|name| scope_of(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_claims_are_kept_and_others_left_out() {
        let text = r#"{"userinfo":{"name":{"essential":true},"shoe_size":null},"id_token":{"sub":{"value":"x"},"auth_time":{"essential":true},"email":null}}"#;

        let claims = ClaimsRequest::parse(text).unwrap();

        assert_eq!(claims.userinfo, ["name"]);
        assert_eq!(claims.id_token, ["email"]);
        assert_eq!(claims.sub.as_deref(), Some("x"));
    }

    #[test]
    fn claims_belong_to_the_scopes_that_ask_for_them() {
        let claims =
            ClaimsRequest::parse(r#"{"userinfo":{"name":null,"groups":null},"id_token":{"email":null}}"#).unwrap();

        assert_eq!(claims.scope().as_str(), "groups profile email");
        let within = claims.within(&Scope::parse("openid groups").unwrap());
        assert_eq!((within.userinfo, within.id_token), (vec!["groups".to_owned()], Vec::new()));
    }

    #[test]
    fn what_is_not_an_object_of_objects_is_refused() {
        for text in ["", "[]", "1", r#"{"userinfo":1}"#, r#"{"id_token":[]}"#] {
            assert!(ClaimsRequest::parse(text).is_err(), "{text}");
        }
    }
}
