//! The claims about a user that a scope, or a client by name, requests (OpenID Connect Core 1.0 sections 5.1, 5.4 and
//! 5.5). Unknown values are omitted.

use serde_json::{Map, Value, json};

use crate::model::User;
use crate::protocol::Scope;
use crate::protocol::claims::{BY_SCOPE, is_within};

/// Returns the claims that `scope` stands for, and those that were requested by name.
#[must_use]
pub fn of(user: &User, scope: &Scope, named: &[String]) -> Map<String, Value> {
    let by_scope =
        BY_SCOPE.iter().filter(|(word, _)| scope.contains(word)).flat_map(|(_, claims)| claims.iter().copied());
    told(user, by_scope.chain(named.iter().map(String::as_str)))
}

#[must_use]
pub fn named(user: &User, names: &[String]) -> Map<String, Value> {
    if names.is_empty() { Map::new() } else { told(user, names.iter().map(String::as_str)) }
}

/// Returns those of the claims requested by name that a client with this scope may have. A scope that was withdrawn
/// from the client withdraws its claims too.
#[must_use]
pub fn permitted(names: &[String], scope: &Scope) -> Vec<String> {
    names.iter().filter(|name| is_within(name, scope)).cloned().collect()
}

fn told<'a>(user: &User, names: impl Iterator<Item = &'a str>) -> Map<String, Value> {
    let known = everything(user);
    names.filter_map(|name| Some((name.to_owned(), known.get(name)?.clone()))).collect()
}

fn everything(user: &User) -> Map<String, Value> {
    let mut claims = match serde_json::to_value(&user.profile) {
        Ok(Value::Object(claims)) => claims,
        _ => Map::new(),
    };
    claims.insert("preferred_username".to_owned(), json!(user.preferred_username()));
    if let Some(email) = &user.email {
        claims.insert("email".to_owned(), json!(email));
        claims.insert("email_verified".to_owned(), json!(user.email_verified));
    }
    claims.insert("roles".to_owned(), json!(user.roles));
    claims.insert("groups".to_owned(), json!(user.groups));
    claims
}
