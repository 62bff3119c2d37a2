//! Scopes in plain words.

use serde::Serialize;

/// A scope, ready for a template.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) struct ScopeModel<'a> {
    /// The sentence for a scope that everybody has.
    known: Option<&'static str>,
    /// The name of one that only some application knows.
    other: Option<&'a str>,
}

/// What each scope means, in the order asked for.
pub(super) fn in_words(scopes: &[String]) -> Vec<ScopeModel<'_>> {
    scopes
        .iter()
        .map(|scope| match known(scope) {
            Some(sentence) => ScopeModel { known: Some(sentence), other: None },
            None => ScopeModel { known: None, other: Some(scope) },
        })
        .collect()
}

/// OpenID Connect Core sections 3.1.2.1, 5.4 and 11, and what this server adds.
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
