use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rsa::{BigUint, Pkcs1v15Sign, RsaPublicKey};
use serde_json::{Value, json};

use super::super::Jwks;
use super::super::master_key::{MasterKeys, make_master_key};
use super::super::prepared::PreparedKey;
use super::{new_key, prepared};
use crate::clock::Random;
use crate::config;
use crate::model::{Secret, SigningAlgorithm};
use crate::protocol::TokenType;

fn part(token: &str, position: usize) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(token.split('.').nth(position).unwrap()).unwrap()
}

#[tokio::test]
async fn jsonwebtoken_accepts_what_is_signed_with_every_algorithm() {
    for algorithm in SigningAlgorithm::ALL {
        let key = prepared(&new_key(algorithm).await);
        let claims = json!({"sub": "ä \"quoted\"", "exp": 32_503_680_000_u64});
        for typ in TokenType::ALL {
            let token = key.sign(typ, &claims).unwrap();
            let header: Value = serde_json::from_slice(&part(&token, 0)).unwrap();
            assert_eq!(header, json!({"alg": algorithm.as_str(), "typ": typ.as_str(), "kid": key.kid()}));
            let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(serde_json::to_value(key.jwk()).unwrap()).unwrap();
            let verifying = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
            let rules = jsonwebtoken::Validation::new(algorithm.as_str().parse().unwrap());
            let decoded = jsonwebtoken::decode::<Value>(&token, &verifying, &rules).unwrap();
            assert_eq!(decoded.claims, claims);
        }
    }
}

#[tokio::test]
async fn the_thumbprint_is_the_one_that_jsonwebtoken_finds() {
    for algorithm in SigningAlgorithm::ALL {
        let key = prepared(&new_key(algorithm).await);
        let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(serde_json::to_value(key.jwk()).unwrap()).unwrap();
        assert_eq!(jwk.thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256).unwrap(), key.kid());
    }
}

#[tokio::test]
async fn another_implementation_of_rsa_accepts_an_rs256_signature() {
    let key = prepared(&new_key(SigningAlgorithm::Rs256).await);
    let token = key.sign(TokenType::Id, &json!({"sub": "u"})).unwrap();
    let (signed, _) = token.rsplit_once('.').unwrap();
    let jwk = serde_json::to_value(key.jwk()).unwrap();
    let number = |member: &str| BigUint::from_bytes_be(&URL_SAFE_NO_PAD.decode(jwk[member].as_str().unwrap()).unwrap());
    let public = RsaPublicKey::new(number("n"), number("e")).unwrap();
    // The DigestInfo of SHA-256 (RFC 8017 section 9.2).
    let prefix = [0x30, 0x31, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 0x20];
    let scheme = || Pkcs1v15Sign { hash_len: Some(32), prefix: prefix.into() };
    let verify = |text: &str| public.verify(scheme(), digest(&SHA256, text.as_bytes()).as_ref(), &part(&token, 2));
    verify(signed).unwrap();
    verify("something else").unwrap_err();
}

#[tokio::test]
async fn the_jwks_says_what_a_verifier_needs_and_nothing_private() {
    let mut keys = Vec::new();
    for algorithm in SigningAlgorithm::ALL {
        keys.push(prepared(&new_key(algorithm).await));
    }
    let jwks = Jwks::of(keys.iter().map(PreparedKey::jwk)).unwrap();

    let document: Value = serde_json::from_str(&jwks.body).unwrap();

    assert_eq!(document.as_object().unwrap().len(), 1);
    let members = |kind: &str| match kind {
        "RSA" => ["alg", "e", "kid", "kty", "n", "use"].as_slice(),
        "EC" => ["alg", "crv", "kid", "kty", "use", "x", "y"].as_slice(),
        _ => ["alg", "crv", "kid", "kty", "use", "x"].as_slice(),
    };
    for (jwk, key) in document["keys"].as_array().unwrap().iter().zip(&keys) {
        let mut names: Vec<&str> = jwk.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, members(jwk["kty"].as_str().unwrap()));
        assert!(["d", "p", "q", "dp", "dq", "qi", "k", "oth"].iter().all(|private| jwk.get(private).is_none()));
        assert_eq!((&jwk["use"], &jwk["alg"]), (&json!("sig"), &json!(key.algorithm().as_str())));
    }
}

#[tokio::test]
async fn the_entity_tag_changes_when_and_only_when_the_jwks_does() {
    let (one, two) =
        (prepared(&new_key(SigningAlgorithm::EdDsa).await), prepared(&new_key(SigningAlgorithm::EdDsa).await));
    let tag = |keys: &[_]| Jwks::of(keys.iter().copied()).unwrap().etag;
    assert_eq!(tag(&[one.jwk(), two.jwk()]), tag(&[one.jwk(), two.jwk()]));
    assert_ne!(tag(&[one.jwk(), two.jwk()]), tag(&[one.jwk()]));
    assert_ne!(tag(&[one.jwk()]), tag(&[two.jwk()]));
    let strong = tag(&[one.jwk()]);
    assert!(strong.starts_with('"') && strong.ends_with('"') && !strong[1..strong.len() - 1].contains('"'), "{strong}");
}

#[test]
fn a_sealed_key_opens_only_as_it_is_for_its_kid_under_its_master_key() {
    let random = Random::default();
    let master_keys = || {
        let settings =
            config::Keys { master_key: Some(Secret::new(make_master_key(&random))), ..config::Keys::default() };
        MasterKeys::find(&settings).unwrap().unwrap()
    };
    let (mine, theirs) = (master_keys(), master_keys());
    let seal = &mine.current.seal;
    let sealed = seal.close("kid", b"private", &random).unwrap();

    assert_eq!(seal.open("kid", &sealed).unwrap().as_slice(), b"private");
    assert_ne!(sealed, seal.close("kid", b"private", &random).unwrap(), "each nonce is new");
    assert!(theirs.current.seal.open("kid", &sealed).is_none());
    assert!(seal.open("other", &sealed).is_none());
    for position in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[position] ^= 1;
        assert!(seal.open("kid", &changed).is_none(), "{position}");
        assert!(seal.open("kid", &sealed[..position]).is_none(), "{position}");
    }
}
