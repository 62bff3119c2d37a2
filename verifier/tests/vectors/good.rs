//! Tokens that are accepted, and the same ones under other keys.

use serde_json::{Value, json};

use crate::file::{Case, Reason};
use crate::keys::Signer;
use crate::token::{AUDIENCE, NOW, claims, header, with, without};

pub(crate) fn cases(signer: &Signer) -> Vec<Case> {
    let mut cases = Vec::new();
    for (kid, alg) in
        [("es256", "ES256"), ("es384", "ES384"), ("ed25519", "EdDSA"), ("rs256", "RS256"), ("ps256", "PS256")]
    {
        let header = json!({"alg": alg, "typ": "at+jwt", "kid": kid});
        let token = signer.token(kid, &header.to_string(), &claims().to_string());
        cases.push(Case::accept(&format!("signed with {alg}"), &claims(), token));
    }
    let mut accept = |name: &str, claims: Value| {
        cases.push(Case::accept(name, &claims, signer.with_claims(&claims)));
    };
    accept("the audience as an array of one", with(claims(), "aud", json!([AUDIENCE])));
    accept("one of several audiences", with(claims(), "aud", json!(["https://b.example.com", AUDIENCE])));
    accept("without a scope", without(claims(), "scope"));
    accept("of a user who signed in", full());
    accept("with a claim that nobody knows", with(claims(), "tenant", json!({"id": 7})));
    accept("expired within the leeway", with(claims(), "exp", NOW - 59));
    accept("valid from now on by the leeway", with(with(claims(), "nbf", NOW + 60), "iat", NOW + 60));
    accept("names beyond ASCII", with(claims(), "sub", "älice \u{1f511}"));

    let media_type = with(header(), "typ", "application/at+jwt");
    cases.push(Case::accept("the type as a whole media type", &claims(), signer.with_header(&media_type)));
    let token = signer.with_header(&with(
        with(header(), "jku", "https://evil.example/jwks"),
        "x5u",
        "https://evil.example/cert",
    ));
    cases.push(Case::accept("addresses of keys in the header are not looked at", &claims(), token));
    cases.extend(rotation(signer));
    cases
}

fn full() -> Value {
    json!({
        "auth_time": NOW - 500, "acr": "urn:example:loa:2", "amr": ["pwd", "otp"], "roles": ["editor"],
        "groups": ["staff"], "sid": "session-1", "nbf": NOW - 100, "token_type": "access", "user_id": "alice",
        "iss": claims()["iss"], "sub": "alice", "aud": AUDIENCE, "exp": NOW + 200, "iat": NOW - 100,
        "jti": "token-2", "client_id": "web", "scope": "openid",
    })
}

/// A key is published before it signs, and a key that is gone verifies nothing.
fn rotation(signer: &Signer) -> Vec<Case> {
    let before = signer.with_header(&header());
    let after = signer.token("es256-next", &with(header(), "kid", "es256-next").to_string(), &claims().to_string());
    vec![
        Case::accept("signed with the key before, after the rotation", &claims(), before.clone()).with_keys("rotated"),
        Case::accept("signed with the next key, after the rotation", &claims(), after.clone()).with_keys("rotated"),
        Case::refuse("signed with the next key, which is not known yet", Reason::Key, after.clone()),
        Case::refuse("signed with a key that was removed", Reason::Key, before).with_keys("removed"),
        Case::accept("signed with the next key, after the one before was removed", &claims(), after)
            .with_keys("removed"),
    ]
}
