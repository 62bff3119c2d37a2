//! Signatures that are not the key's.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::json;
use tokenhouse_verifier::Refusal;

use crate::signer::{SIGNER, claims, encode, header, verify, with};

fn message() -> String {
    format!("{}.{}", encode(header().to_string()), encode(claims().to_string()))
}

#[test]
fn an_ecdsa_signature_of_zeros_is_refused() {
    // The order of P-256, which is zero once it has been reduced.
    let order = b"\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\
        \xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51";
    let (zero, mut one) = ([0; 32], [0; 32]);
    one[31] = 1;
    for (r, s) in [(&zero, &zero), (&zero, &one), (&one, &zero), (&one, &one), (order, order), (order, &one)] {
        let token = format!("{}.{}", message(), encode([&r[..], &s[..]].concat()));
        assert_eq!(verify(&token), Err(Refusal::BadSignature));
    }
}

#[test]
fn an_ecdsa_signature_of_another_length_or_form_is_refused() {
    let signature = SIGNER.sign("es256", message().as_bytes());
    let longer = [&signature[..], &[0]].concat();
    let padded = [&[0][..], &signature].concat();
    for odd in [&signature[..63], &signature[1..], &longer, &padded, &[0]] {
        assert_eq!(verify(&format!("{}.{}", message(), encode(odd))), Err(Refusal::BadSignature));
    }

    let document = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let der = document.sign(&SystemRandom::new(), message().as_bytes()).unwrap();
    assert_eq!(verify(&format!("{}.{}", message(), encode(der.as_ref()))), Err(Refusal::BadSignature));
}

#[test]
fn the_signature_of_a_stranger_is_refused() {
    let stranger = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let signature = stranger.sign(&SystemRandom::new(), message().as_bytes()).unwrap();
    assert_eq!(verify(&format!("{}.{}", message(), encode(signature.as_ref()))), Err(Refusal::BadSignature));
}

#[test]
fn a_changed_payload_is_refused() {
    let signature = encode(SIGNER.sign("es256", message().as_bytes()));
    let changed = with(claims(), "sub", "mallory").to_string();
    let token = format!("{}.{}.{signature}", encode(header().to_string()), encode(changed));
    assert_eq!(verify(&token), Err(Refusal::BadSignature));
}

#[test]
fn a_signature_of_one_scheme_is_not_one_of_another() {
    for (kid, alg, signed_as) in [("rs256", "RS256", "ps256"), ("ps256", "PS256", "rs256"), ("ed", "EdDSA", "es256")] {
        let header = json!({"alg": alg, "typ": "at+jwt", "kid": kid});
        let message = format!("{}.{}", encode(header.to_string()), encode(claims().to_string()));
        let token = format!("{message}.{}", encode(SIGNER.sign(signed_as, message.as_bytes())));
        assert_eq!(verify(&token), Err(Refusal::BadSignature), "{kid}");
    }
}

#[test]
fn the_signature_is_judged_before_the_claims() {
    let expired = with(claims(), "exp", 1).to_string();
    let token = format!("{}.{}.{}", encode(header().to_string()), encode(expired), encode([1; 64]));
    assert_eq!(verify(&token), Err(Refusal::BadSignature));
}
