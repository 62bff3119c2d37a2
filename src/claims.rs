//! What is told about a person: the claims that a scope, or an application by name, asks for (OpenID Connect Core 1.0
//! sections 5.1, 5.4 and 5.5). What is not known is left out.

use serde_json::{Map, Value, json};

use crate::model::User;
use crate::protocol::Scope;
use crate::protocol::claims::BY_SCOPE;

/// The claims that `scope` asks for, and those that were asked for by name.
#[must_use]
pub fn of(user: &User, scope: &Scope, named: &[String]) -> Map<String, Value> {
    let mut wanted: Vec<String> = named.to_vec();
    for (word, claims) in BY_SCOPE {
        if scope.contains(word) {
            wanted.extend(claims.iter().map(|claim| (*claim).to_owned()));
        }
    }
    self::named(user, &wanted)
}

/// The claims of these names.
#[must_use]
pub fn named(user: &User, names: &[String]) -> Map<String, Value> {
    names.iter().filter_map(|name| Some((name.clone(), one(user, name)?))).collect()
}

fn one(user: &User, name: &str) -> Option<Value> {
    match name {
        "preferred_username" => Some(json!(user.username)),
        "email" => user.email.as_ref().map(|email| json!(email)),
        "email_verified" => user.email.as_ref().map(|_| json!(user.email_verified)),
        "roles" => Some(json!(user.roles)),
        "groups" => Some(json!(user.groups)),
        _ => None,
    }
}
