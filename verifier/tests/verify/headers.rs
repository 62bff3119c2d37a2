//! What a header may not say, even when the signature is right.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::hmac;
use aws_lc_rs::signature::KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokenhouse_verifier::{Algorithm, Refusal};

use crate::signer::{SIGNER, claims, encode, header, verify, verify_header, with, without};

#[test]
fn a_token_with_the_algorithm_none_is_refused_in_every_spelling() {
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let header = with(header(), "alg", alg).to_string();
        let unsigned = format!("{}.{}", encode(&header), encode(claims().to_string()));
        assert_eq!(verify(&format!("{unsigned}.")), Err(Refusal::NotThreeParts), "{alg}");
        assert_eq!(verify(&format!("{unsigned}.AAAA")), Err(Refusal::UnacceptableAlgorithm), "{alg}");
        assert_eq!(verify(&SIGNER.token(&header, &claims().to_string())), Err(Refusal::UnacceptableAlgorithm), "{alg}");
    }
}

#[test]
fn an_algorithm_that_is_unknown_or_missing_or_misspelled_is_refused() {
    for alg in ["HS384", "RS384", "RS512", "PS512", "ES512", "ES256K", "es256", "ES256 ", "RSA-OAEP", "PBES2-HS256"] {
        assert_eq!(verify_header(&with(header(), "alg", alg)), Err(Refusal::UnacceptableAlgorithm), "{alg}");
    }
    assert_eq!(verify_header(&without(header(), "alg")), Err(Refusal::UnacceptableAlgorithm));
}

#[test]
fn the_public_key_is_not_a_shared_secret() {
    let der = SIGNER.rsa.public_key().as_der().unwrap().as_ref().to_vec();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(&der));
    let rsa_jwk = SIGNER.jwks["keys"][3].to_string();
    let ec_jwk = SIGNER.jwks["keys"][0].to_string();
    let point = SIGNER.es256.public_key().as_ref().to_vec();
    let secrets = [der, pem.trim_end().into(), pem.into(), rsa_jwk.into(), ec_jwk.into(), point, Vec::new()];

    for (secret, kid) in secrets.iter().flat_map(|secret| [(secret, "rs256"), (secret, "es256")]) {
        for alg in ["HS256", "hs256", "RS256", "ES256"] {
            let header = json!({"alg": alg, "typ": "at+jwt", "kid": kid});
            let message = format!("{}.{}", encode(header.to_string()), encode(claims().to_string()));
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
            let refusal = verify(&format!("{message}.{}", encode(tag.as_ref()))).unwrap_err();
            match alg {
                "RS256" | "ES256" => {
                    assert!(matches!(refusal, Refusal::BadSignature | Refusal::WrongAlgorithm { .. }), "{refusal}");
                }
                _ => assert_eq!(refusal, Refusal::UnacceptableAlgorithm),
            }
        }
    }
}

#[test]
fn a_key_verifies_with_its_own_algorithm_only() {
    for (kid, alg, expected) in [
        ("rs256", "PS256", Algorithm::Rs256),
        ("ps256", "RS256", Algorithm::Ps256),
        ("es256", "ES384", Algorithm::Es256),
        ("es384", "ES256", Algorithm::Es384),
        ("ed", "ES256", Algorithm::EdDsa),
        ("es256", "EdDSA", Algorithm::Es256),
    ] {
        let refused = verify_header(&json!({"alg": alg, "typ": "at+jwt", "kid": kid}));
        assert_eq!(refused, Err(Refusal::WrongAlgorithm { expected }), "{kid} {alg}");
    }
}

#[test]
fn an_id_token_a_refresh_token_and_a_logout_token_are_not_access_tokens() {
    let others = ["JWT", "rt+jwt", "logout+jwt", "statuslist+jwt", "dpop+jwt", "at+jwt ", "text/at+jwt", "at", ""];
    for typ in others {
        assert_eq!(verify_header(&with(header(), "typ", typ)), Err(Refusal::NotAnAccessToken), "{typ}");
    }
    assert_eq!(verify_header(&without(header(), "typ")), Err(Refusal::NotAnAccessToken));
}

#[test]
fn critical_extensions_are_refused_whatever_they_are() {
    for crit in [json!(["x"]), json!(["exp"]), json!(["b64"]), json!([]), json!("x"), Value::Null] {
        assert_eq!(verify_header(&with(header(), "crit", crit.clone())), Err(Refusal::CriticalExtension), "{crit}");
    }
}

#[test]
fn a_header_parameter_of_the_wrong_type_is_refused() {
    for name in ["alg", "typ", "kid"] {
        for value in [json!(1), json!(["ES256"]), json!({}), json!(true), Value::Null] {
            let refused = verify_header(&with(header(), name, value.clone()));
            assert_eq!(refused, Err(Refusal::MalformedHeader { name }), "{name} {value}");
        }
    }
}

#[test]
fn a_token_must_name_its_key() {
    assert_eq!(verify_header(&without(header(), "kid")), Err(Refusal::MissingKid));
    assert_eq!(verify_header(&with(header(), "kid", "")), Err(Refusal::MissingKid));
    assert_eq!(verify_header(&with(header(), "kid", "k".repeat(257))), Err(Refusal::MissingKid));
}

#[test]
fn a_kid_is_nothing_but_a_name() {
    let strange =
        ["../../etc/passwd", "' or 1=1--", "/dev/null", "http://evil.example/jwks", "es256\0", "ES256", " es256", "\n"];
    for kid in strange {
        assert_eq!(verify_header(&with(header(), "kid", kid)), Err(Refusal::UnknownKey { kid: kid.into() }));
    }
}

#[test]
fn a_kid_cannot_forge_a_line_in_a_log() {
    let refusal = verify_header(&with(header(), "kid", "x\nERROR all is lost")).unwrap_err();
    assert!(!refusal.to_string().contains('\n'));
}

#[test]
fn a_kid_of_a_megabyte_is_refused_before_it_is_read() {
    let refused = verify_header(&with(header(), "kid", "k".repeat(1 << 20)));
    assert!(matches!(refused, Err(Refusal::TooLong { .. })));
}

#[test]
fn a_key_that_the_token_brings_along_is_ignored() {
    let stranger =
        aws_lc_rs::signature::EcdsaKeyPair::generate(&aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let own = crate::signer::ec_jwk("es256", "P-256", &stranger);
    let header = json!({
        "alg": "ES256", "typ": "at+jwt", "kid": "es256", "jwk": own, "jku": "https://evil.example/jwks",
        "x5u": "https://evil.example/cert", "x5c": ["MIIB"],
    });
    let message = format!("{}.{}", encode(header.to_string()), encode(claims().to_string()));
    let signature = stranger.sign(&aws_lc_rs::rand::SystemRandom::new(), message.as_bytes()).unwrap();

    assert_eq!(verify(&format!("{message}.{}", encode(signature.as_ref()))), Err(Refusal::BadSignature));
    assert!(verify_header(&header).is_ok(), "with the signature of the real key it passes");
}

#[test]
fn a_header_of_more_than_four_kilobytes_is_refused_before_it_is_decoded() {
    let refused = verify_header(&with(header(), "x", "x".repeat(4096)));
    assert!(matches!(refused, Err(Refusal::HeaderTooLong { limit: 4096, .. })));
}
