//! Tokens that pass, and what is read of them.

use serde::Deserialize;
use serde_json::{Value, json};
use tokenhouse_verifier::{KeySet, Refusal, Verifier};

use crate::signer::{
    AUDIENCE, ISSUER, NOW, SIGNER, claims, encode, header, verify, verify_claims, verify_header, with, without,
};

#[test]
fn a_good_token_gives_its_claims() {
    let token = verify_claims(&claims()).unwrap();

    assert_eq!((token.iss.as_str(), token.sub.as_str(), token.jti.as_str()), (ISSUER, "alice", "token-1"));
    assert_eq!((token.exp, token.iat, token.nbf), (NOW + 200, NOW - 100, None));
    assert_eq!(token.aud, [AUDIENCE]);
    assert_eq!(token.client_id, "web");
    assert!(token.roles.is_empty() && token.groups.is_empty() && token.amr.is_empty());
    assert!(token.status.is_none() && token.cnf.is_none());
}

#[test]
fn every_optional_claim_is_read_and_written_back_unchanged() {
    let full = json!({
        "iss": ISSUER, "sub": "alice", "aud": [AUDIENCE, "other"], "exp": NOW + 200, "iat": NOW - 100,
        "nbf": NOW - 100, "jti": "1", "client_id": "web", "scope": "a b", "sid": "s", "auth_time": NOW - 500,
        "acr": "urn:x", "amr": ["pwd", "otp"], "roles": ["editor"], "groups": ["staff"], "token_type": "access",
        "user_id": "alice", "status": {"status_list": {"idx": 4711, "uri": "https://id.example.com/status/3"}},
        "cnf": {"jkt": "thumb", "x5t#S256": "print"},
    });

    let token = verify_claims(&full).unwrap();

    assert_eq!(serde_json::to_value(&token).unwrap(), full);
    assert_eq!(token.status.unwrap().status_list.idx, 4711);
    assert_eq!(token.cnf.unwrap().jkt.unwrap(), "thumb");
}

#[test]
fn every_allowed_algorithm_verifies_with_its_own_key() {
    for (kid, alg) in [("es256", "ES256"), ("es384", "ES384"), ("ed", "EdDSA"), ("rs256", "RS256"), ("ps256", "PS256")]
    {
        let header = json!({"alg": alg, "typ": "at+jwt", "kid": kid});
        let message = format!("{}.{}", encode(header.to_string()), encode(claims().to_string()));
        let token = format!("{message}.{}", encode(SIGNER.sign(kid, message.as_bytes())));
        assert!(verify(&token).is_ok(), "{alg}");
    }
}

#[test]
fn the_type_may_be_spelled_as_a_media_type_in_any_case() {
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"] {
        assert!(verify_header(&with(header(), "typ", typ)).is_ok(), "{typ}");
    }
}

#[test]
fn unknown_claims_are_ignored_and_can_be_asked_for() {
    #[derive(Deserialize)]
    struct Tenant {
        tenant: String,
    }
    let verifier = Verifier::new(ISSUER, [AUDIENCE]);
    let signed = |claims: &Value| SIGNER.token(&header().to_string(), &claims.to_string());

    let token = signed(&with(claims(), "tenant", "acme"));
    assert!(verify(&token).is_ok());
    let (access, extra) = verifier.verify_with_claims::<Tenant>(&token, &SIGNER.keys, NOW).unwrap();
    assert_eq!((access.sub.as_str(), extra.tenant.as_str()), ("alice", "acme"));

    let refused = verifier.verify_with_claims::<Tenant>(&signed(&claims()), &SIGNER.keys, NOW);
    assert!(matches!(refused, Err(Refusal::ExtraClaims { .. })));
    let expired = verifier.verify_with_claims::<Tenant>(&token, &SIGNER.keys, NOW + 900);
    assert!(matches!(expired, Err(Refusal::Expired { .. })));
}

#[test]
fn scopes_are_whole_words() {
    let token = verify_claims(&claims()).unwrap();

    assert!(token.has_scope("notes:read") && token.has_scope("notes:write"));
    for other in ["notes", "notes:rea", "NOTES:READ", "", " ", "notes:read notes:write"] {
        assert!(!token.has_scope(other), "{other:?}");
    }
    assert_eq!(token.require_scope("notes:read"), Ok(()));
    assert_eq!(token.require_scope("admin"), Err(Refusal::MissingScope { scope: "admin".into() }));
}

#[test]
fn a_token_without_scope_has_none() {
    let token = verify_claims(&without(claims(), "scope")).unwrap();
    assert!(!token.has_scope("notes:read") && !token.has_scope(""));
}

#[test]
fn the_issuer_itself_may_look_at_tokens_for_anyone() {
    let token = SIGNER.token(&header().to_string(), &with(claims(), "aud", "https://elsewhere.example").to_string());

    assert!(Verifier::dangerous_any_audience(ISSUER).verify(&token, &SIGNER.keys, NOW).is_ok());
    let elsewhere = Verifier::dangerous_any_audience("https://else.example").verify(&token, &SIGNER.keys, NOW);
    assert!(matches!(elsewhere, Err(Refusal::WrongIssuer { .. })));
}

#[test]
fn the_parts_can_be_shared_between_threads() {
    fn shared<T: Send + Sync + Clone + 'static>() {}
    shared::<Verifier>();
    shared::<KeySet>();
}
