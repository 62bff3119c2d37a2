//! The meaning of scopes, in sentences.

use serde::Serialize;

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) struct ScopeModel<'a> {
    /// The message for a scope that this server knows.
    known: Option<&'static str>,
    /// The name of any other scope.
    other: Option<&'a str>,
}

/// Returns the meaning of each scope, in the requested order.
pub(super) fn in_words(scopes: &[String]) -> Vec<ScopeModel<'_>> {
    scopes
        .iter()
        .map(|scope| match known(scope) {
            Some(sentence) => ScopeModel { known: Some(sentence), other: None },
            None => ScopeModel { known: None, other: Some(scope) },
        })
        .collect()
}

/// Returns the message for a scope of OpenID Connect Core (sections 3.1.2.1, 5.4 and 11) or of this server.
fn known(scope: &str) -> Option<&'static str> {
    match scope {
        "openid" => Some("scope-openid"),
        "profile" => Some("scope-profile"),
        "email" => Some("scope-email"),
        "address" => Some("scope-address"),
        "phone" => Some("scope-phone"),
        "offline_access" => Some("scope-offline-access"),
        "roles" => Some("scope-roles"),
        "groups" => Some("scope-groups"),
        _ => None,
    }
}
