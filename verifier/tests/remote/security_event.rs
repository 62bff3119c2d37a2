//! What a security event token must be before it is believed.

use serde_json::{Value, json};
use tokenhouse_verifier::{Refusal, SecurityEvent, SecurityEventError, SecurityEventToken};

use crate::issuer::sign_event;
use crate::signer::{ISSUER, NOW, SIGNER, header, with, without};

const REVOKED: &str = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
const VERIFICATION: &str = "https://schemas.openid.net/secevent/ssf/event-type/verification";

fn claims(kind: &str, details: &Value) -> Value {
    json!({"iss": ISSUER, "iat": NOW, "jti": "1", "sub_id": {"format": "opaque", "id": "s"}, "events": {kind: details}})
}

fn read(token: &str) -> Result<Vec<SecurityEvent>, SecurityEventError> {
    SecurityEventToken::from_token(token, ISSUER, &SIGNER.keys, NOW).map(|token| token.events)
}

fn told(kind: &str, details: &Value) -> Result<Vec<SecurityEvent>, SecurityEventError> {
    read(&sign_event(&claims(kind, details)))
}

#[test]
fn each_kind_of_event_is_read() {
    let revoked = told(REVOKED, &json!({"event_timestamp": NOW, "status_list": {"idx": 7, "uri": "u"}})).unwrap();
    let [SecurityEvent::SessionRevoked(Some(index))] = &*revoked else { panic!("{revoked:?}") };
    assert_eq!((index.idx, index.uri.as_str()), (7, "u"));
    assert_eq!(told(REVOKED, &json!({})), Ok(vec![SecurityEvent::SessionRevoked(None)]));
    assert_eq!(told(VERIFICATION, &json!({"as_of": 5})), Ok(vec![SecurityEvent::Heartbeat { as_of: 5 }]));
    assert_eq!(told("urn:tokenhouse:event:keys-changed", &json!({})), Ok(vec![SecurityEvent::KeysChanged]));
    assert_eq!(told("urn:tokenhouse:event:resync", &json!({})), Ok(vec![SecurityEvent::Resync]));
    assert_eq!(told("urn:example:unheard-of", &json!(1)), Ok(vec![]), "passed over");
}

#[test]
fn what_the_issuer_has_not_signed_as_an_event_is_refused() {
    let good = claims("urn:tokenhouse:event:resync", &json!({}));
    let as_access = SIGNER.token(&header().to_string(), &good.to_string());
    assert_eq!(read(&as_access), Err(SecurityEventError::NotASecurityEvent));
    let unknown = with(with(header(), "typ", "secevent+jwt"), "kid", "other").to_string();
    let refusal = Refusal::UnknownKey { kid: "other".into() };
    assert_eq!(read(&SIGNER.token(&unknown, &good.to_string())), Err(SecurityEventError::Unsigned(refusal)));
    let signed = sign_event(&good);
    let changed = signed[..signed.len() - 8].to_owned() + "AAAAAAAA";
    assert_eq!(read(&changed), Err(SecurityEventError::Unsigned(Refusal::BadSignature)));
    let other = sign_event(&with(good.clone(), "iss", "https://other.example"));
    assert_eq!(read(&other), Err(SecurityEventError::WrongIssuer { found: "https://other.example".into() }));
    assert_eq!(read(&sign_event(&with(good, "x", "x".repeat(16 * 1024)))), Err(SecurityEventError::TooLong));
}

#[test]
fn an_event_that_is_malformed_is_refused() {
    let good = claims("urn:tokenhouse:event:resync", &json!({}));
    for claim in ["iss", "iat", "events"] {
        assert_eq!(read(&sign_event(&without(good.clone(), claim))), Err(SecurityEventError::Malformed), "{claim}");
    }
    for status_list in [json!(7), json!({"idx": -1, "uri": "u"}), json!({"idx": 1})] {
        let told = told(REVOKED, &json!({"status_list": status_list}));
        assert_eq!(told, Err(SecurityEventError::Malformed), "{status_list}");
    }
}

#[test]
fn an_event_from_the_future_is_refused() {
    let ahead = |seconds| told(VERIFICATION, &json!({"as_of": NOW + seconds}));
    assert!(ahead(60).is_ok());
    assert_eq!(ahead(61), Err(SecurityEventError::InTheFuture { seconds: 61 }));
    let late = with(claims("urn:tokenhouse:event:resync", &json!({})), "iat", NOW + 61);
    assert_eq!(read(&sign_event(&late)), Err(SecurityEventError::InTheFuture { seconds: 61 }));
}
