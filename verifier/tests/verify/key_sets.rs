//! Which key sets are taken, and which keys of them.

use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::RsaKeyPair;
use serde_json::{Value, json};
use tokenhouse_verifier::{Algorithm, Jwk, KeySet, KeySetError};

use crate::signer::{SIGNER, encode, rsa_jwk, with, without};

fn key_set(keys: &[Value]) -> Result<KeySet, KeySetError> {
    KeySet::from_jwks(&json!({"keys": keys}).to_string())
}

fn es256() -> Value {
    SIGNER.jwks["keys"][0].clone()
}

#[test]
fn the_algorithm_is_derived_from_the_key_when_it_is_not_named() {
    let named: Vec<Value> = SIGNER.jwks["keys"].as_array().unwrap()[..4].to_vec();
    let rsa = without(named[3].clone(), "alg");
    let set = key_set(&[named[0].clone(), named[1].clone(), named[2].clone(), rsa]).unwrap();

    let mut found: Vec<_> = set.keys().collect();
    found.sort_by_key(|(kid, _)| *kid);
    let expected = [
        ("ed", Algorithm::EdDsa),
        ("es256", Algorithm::Es256),
        ("es384", Algorithm::Es384),
        ("rs256", Algorithm::Rs256),
    ];
    assert_eq!(found, expected);
    assert!(set.contains("ed") && !set.contains("ps256"));
}

#[test]
fn a_list_of_keys_is_read_by_the_same_rules() {
    let jwk: Jwk = serde_json::from_value(es256()).unwrap();
    assert!(KeySet::from_keys([&jwk]).unwrap().contains("es256"));
    assert_eq!(KeySet::from_keys([&jwk, &jwk]).unwrap_err(), KeySetError::DuplicateKid { kid: "es256".into() });
    assert_eq!(serde_json::to_value(&jwk).unwrap(), es256());
}

#[test]
fn a_key_for_something_else_is_left_out() {
    let others = [
        with(es256(), "use", "enc"),
        with(es256(), "alg", "ES384"),
        with(es256(), "alg", "ECDH-ES"),
        with(es256(), "alg", "HS256"),
        with(es256(), "crv", "secp256k1"),
        json!({"kty": "AKP", "alg": "ML-DSA-44", "kid": "later", "pub": "AAAA"}),
        json!({"kty": "OKP", "crv": "X25519", "kid": "x", "x": "AAAA"}),
        with(SIGNER.jwks["keys"][3].clone(), "alg", "RS512"),
    ];
    for other in others {
        assert_eq!(key_set(std::slice::from_ref(&other)).unwrap_err(), KeySetError::NoUsableKey, "{other}");
        assert_eq!(key_set(&[other, es256()]).unwrap().keys().count(), 1);
    }
}

#[test]
fn a_symmetric_key_is_refused() {
    for secret in [json!({"kty": "oct", "kid": "s", "k": "AAAA"}), json!({"kty": "oct", "kid": "s", "use": "enc"})] {
        assert_eq!(key_set(&[es256(), secret]).unwrap_err(), KeySetError::Symmetric { kid: "s".into() });
    }
}

#[test]
fn a_private_key_is_refused() {
    let refused = key_set(&[with(es256(), "d", encode([1; 32]))]).unwrap_err();
    assert_eq!(refused, KeySetError::PrivateKey { kid: "es256".into() });
}

#[test]
fn an_rsa_key_of_less_than_2048_bits_is_refused() {
    let mut modulus = [0xff; 255];
    let short = |n: &[u8]| json!({"kty": "RSA", "kid": "short", "n": encode(n), "e": "AQAB"});
    let size = |bits| KeySetError::RsaSize { kid: "short".into(), bits };

    assert_eq!(key_set(&[short(&modulus[..128])]).unwrap_err(), size(1024));
    assert_eq!(key_set(&[short(&modulus)]).unwrap_err(), size(2040));
    let mut nearly = [0xff; 256];
    nearly[0] = 0x7f;
    assert_eq!(key_set(&[short(&nearly)]).unwrap_err(), size(2047));
    assert_eq!(key_set(&[short(&[0xff; 1025])]).unwrap_err(), size(8200));

    modulus[0] = 0;
    let padded = [&[0][..], &modulus].concat();
    assert_eq!(key_set(&[short(&padded)]).unwrap_err(), KeySetError::Malformed { kid: "short".into(), member: "n" });
    let long = RsaKeyPair::generate(KeySize::Rsa3072).unwrap();
    assert!(key_set(&[rsa_jwk("long", "RS256", &long)]).is_ok());
}

#[test]
fn two_keys_of_one_name_are_refused() {
    let refused = key_set(&[es256(), with(SIGNER.jwks["keys"][1].clone(), "kid", "es256")]).unwrap_err();
    assert_eq!(refused, KeySetError::DuplicateKid { kid: "es256".into() });
}

#[test]
fn a_key_without_a_name_is_refused() {
    assert_eq!(key_set(&[without(es256(), "kid")]).unwrap_err(), KeySetError::MissingKid);
    assert_eq!(key_set(&[with(es256(), "kid", "")]).unwrap_err(), KeySetError::MissingKid);
}

#[test]
fn a_malformed_key_is_refused() {
    let short = encode([1; 31]);
    for (member, value) in [("x", ""), ("x", "AAAA"), ("y", &short), ("y", "not base64"), ("x", "AA==")] {
        let refused = key_set(&[with(es256(), member, value)]).unwrap_err();
        assert_eq!(refused, KeySetError::Malformed { kid: "es256".into(), member });
    }
    let refused = key_set(&[without(es256(), "y")]).unwrap_err();
    assert_eq!(refused, KeySetError::Malformed { kid: "es256".into(), member: "y" });
}

#[test]
fn a_point_beside_the_curve_is_refused() {
    for (kid, key) in [("es256", es256()), ("es384", SIGNER.jwks["keys"][1].clone())] {
        let length = if kid == "es256" { 32 } else { 48 };
        for y in [encode(vec![0; length]), encode(vec![0xff; length]), key["x"].as_str().unwrap().to_owned()] {
            let refused = key_set(&[with(key.clone(), "y", y)]).unwrap_err();
            assert_eq!(refused, KeySetError::Malformed { kid: kid.into(), member: "y" });
        }
    }
}

#[test]
fn a_text_that_is_not_a_jwks_is_refused() {
    for text in ["", "x", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[1]}"#, r#"{"keys":[{"kid":"a"}]}"#] {
        assert!(matches!(KeySet::from_jwks(text), Err(KeySetError::NotAJwks(_))), "{text}");
    }
    assert_eq!(key_set(&[]).unwrap_err(), KeySetError::NoUsableKey);
}
