//! Receives the logout tokens of OpenID Connect Back-Channel Logout 1.0.

use std::time::{Duration, UNIX_EPOCH};

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::Value;

use super::app::App;
use super::provider;

/// The greatest accepted difference between `iat` and now.
const TOLERANCE: Duration = Duration::from_mins(2);

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

#[derive(Deserialize)]
struct LogoutToken {
    iat: u64,
    jti: String,
    events: Value,
    sid: Option<String>,
    sub: Option<String>,
    nonce: Option<Value>,
}

/// Checks the token (section 2.6) and ends the sessions that it names.
pub(super) fn heed(app: &App, keys: &Value, token: &str) -> Result<(), String> {
    let token = verify(app, keys, token)?;
    if !token.events[EVENT].is_object() {
        return Err("it is no sign-out notice".to_owned());
    }
    if token.nonce.is_some() {
        return Err("an ID token is not a sign-out notice".to_owned());
    }
    let issued = UNIX_EPOCH + Duration::from_secs(token.iat);
    let now = provider::now();
    if issued + TOLERANCE < now || issued > now + TOLERANCE {
        return Err("it was not issued just now".to_owned());
    }
    if token.sid.is_none() && token.sub.is_none() {
        return Err("it names nobody".to_owned());
    }
    let mut memory = app.memory();
    if !memory.notices.insert(token.jti) {
        return Err("it has come before".to_owned());
    }
    memory.people.retain(|_, person| match &token.sid {
        Some(sid) => person.sid.as_ref() != Some(sid),
        None => token.sub.as_ref() != Some(&person.sub),
    });
    Ok(())
}

/// Verifies signature, issuer and audience.
fn verify(app: &App, keys: &Value, token: &str) -> Result<LogoutToken, String> {
    let keys = JwkSet::deserialize(keys).map_err(|error| error.to_string())?;
    let header = decode_header(token).map_err(|error| error.to_string())?;
    if !matches!(
        header.alg,
        Algorithm::RS256 | Algorithm::PS256 | Algorithm::ES256 | Algorithm::ES384 | Algorithm::EdDSA
    ) {
        return Err("a signature of this kind proves nothing".to_owned());
    }
    if header.typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("logout+jwt")) {
        return Err("a token of another kind".to_owned());
    }
    let key = header.kid.and_then(|kid| keys.find(&kid).cloned()).ok_or("an unknown key")?;
    let key = DecodingKey::from_jwk(&key).map_err(|error| error.to_string())?;
    let mut rules = Validation::new(header.alg);
    rules.set_issuer(&[&app.issuer]);
    rules.set_audience(&[&app.client_id]);
    rules.set_required_spec_claims(&["iss", "aud", "exp"]);
    decode(token, &key, &rules).map(|token| token.claims).map_err(|error| error.to_string())
}
