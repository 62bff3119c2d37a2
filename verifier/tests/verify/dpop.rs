//! Tokens that are bound to a key or a certificate, and what must come with them.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use proptest::prelude::*;
use serde_json::{Value, json};
use tokenhouse_verifier::{AccessToken, DpopProof, Proof, ProofFlaw, Refusal, ReplayMemory, Verifier};

use crate::signer::{AUDIENCE, ISSUER, NOW, SIGNER, claims, encode, header, with, without};

const URI: &str = "https://api.example.com/notes";

/// A client's key. The tests take the signer's own, which is as good as any.
fn jwk(kid: &str) -> Value {
    let published = SIGNER.jwks["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid).unwrap();
    let mut jwk = published.clone();
    jwk.as_object_mut().unwrap().retain(|name, _| ["kty", "crv", "x", "y", "n", "e"].contains(&name.as_str()));
    jwk
}

/// The thumbprint of RFC 7638: `serde_json` writes the members in the order of their names, and without spaces.
fn thumbprint(jwk: &Value) -> String {
    encode(digest(&SHA256, jwk.to_string().as_bytes()))
}

fn bound_to(cnf: Value) -> String {
    SIGNER.token(&header().to_string(), &with(claims(), "cnf", cnf).to_string())
}

/// A token that is bound to the key `es256`.
static TOKEN: LazyLock<String> = LazyLock::new(|| bound_to(json!({"jkt": thumbprint(&jwk("es256"))})));

fn proof_header() -> Value {
    json!({"alg": "ES256", "typ": "dpop+jwt", "jwk": jwk("es256")})
}

fn proof_claims() -> Value {
    json!({"jti": "proof-1", "htm": "GET", "htu": URI, "iat": NOW, "ath": encode(digest(&SHA256, TOKEN.as_bytes()))})
}

fn signed(kid: &str, header: &Value, claims: &Value) -> String {
    let message = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
    format!("{message}.{}", encode(SIGNER.sign(kid, message.as_bytes())))
}

fn good_proof() -> String {
    signed("es256", &proof_header(), &proof_claims())
}

fn show(token: &str, proof: &Proof<'_>) -> Result<AccessToken, Refusal> {
    Verifier::new(ISSUER, [AUDIENCE]).verify_bound(token, &SIGNER.keys, NOW, proof)
}

/// What a service with an empty memory says to the token and this proof.
fn present(proof: &str) -> Result<AccessToken, Refusal> {
    let memory = ReplayMemory::with_capacity(10);
    show(&TOKEN, &Proof::default().with_dpop(DpopProof::new(proof, "GET", URI), &memory))
}

fn present_header(header: &Value) -> Result<AccessToken, Refusal> {
    present(&signed("es256", header, &proof_claims()))
}

fn present_claims(claims: &Value) -> Result<AccessToken, Refusal> {
    present(&signed("es256", &proof_header(), claims))
}

fn flawed<T>(flaw: ProofFlaw) -> Result<T, Refusal> {
    Err(Refusal::BadProof(flaw))
}

#[test]
fn a_bound_token_passes_with_a_proof_of_its_key() {
    assert_eq!(present(&good_proof()).unwrap().sub, "alice");
}

#[test]
fn every_kind_of_key_may_sign_a_proof() {
    for (kid, alg) in [("es256", "ES256"), ("es384", "ES384"), ("ed", "EdDSA"), ("rs256", "RS256"), ("ps256", "PS256")]
    {
        let token = bound_to(json!({"jkt": thumbprint(&jwk(kid))}));
        let claims = with(proof_claims(), "ath", encode(digest(&SHA256, token.as_bytes())));
        let proof = signed(kid, &json!({"alg": alg, "typ": "dpop+jwt", "jwk": jwk(kid)}), &claims);
        let memory = ReplayMemory::with_capacity(1);
        let shown = show(&token, &Proof::default().with_dpop(DpopProof::new(&proof, "GET", URI), &memory));
        assert!(shown.is_ok(), "{alg}");
    }
}

#[test]
fn the_example_of_the_standard_passes() {
    // RFC 9449 section 7.1, with the thumbprint of section 6.1.
    let proof = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOX\
        pDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2\
        In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0Z\
        WRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP\
        35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
    let token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
    let jkt = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
    let uri = "https://resource.example.org/protectedresource";

    let check = |token, method, now| DpopProof::new(proof, method, uri).check(token, jkt, now);

    assert_eq!(check(token, "GET", 1_562_262_618).unwrap().until, 1_562_262_678);
    assert_eq!(check(token, "POST", 1_562_262_618), Err(ProofFlaw::WrongMethod));
    assert_eq!(check("another", "GET", 1_562_262_618), Err(ProofFlaw::WrongToken));
    assert_eq!(check(token, "GET", 1_562_269_999), Err(ProofFlaw::TooOld { seconds: 7381 }));
}

#[test]
fn a_bound_token_without_its_proof_is_refused() {
    let both = json!({"jkt": thumbprint(&jwk("es256")), "x5t#S256": "print"});
    for token in [&*TOKEN, &bound_to(both), &bound_to(json!({"x5t#S256": "print"}))] {
        assert_eq!(show(token, &Proof::default()), Err(Refusal::ProofRequired));
    }
    assert_eq!(show(&TOKEN, &Proof::default().with_certificate("print")), Err(Refusal::ProofRequired));
}

#[test]
fn a_bearer_token_passes_without_a_proof_and_not_with_one() {
    let token = SIGNER.token(&header().to_string(), &claims().to_string());
    let proof =
        signed("es256", &proof_header(), &with(proof_claims(), "ath", encode(digest(&SHA256, token.as_bytes()))));
    let memory = ReplayMemory::with_capacity(1);

    assert!(show(&token, &Proof::default()).is_ok());
    assert!(show(&token, &Proof::default().with_certificate("print")).is_ok());
    let shown = show(&token, &Proof::default().with_dpop(DpopProof::new(&proof, "GET", URI), &memory));
    assert_eq!(shown, Err(Refusal::NotBound));
}

#[test]
fn a_certificate_must_be_the_one_of_the_token() {
    let token = bound_to(json!({"x5t#S256": "print"}));
    assert!(show(&token, &Proof::default().with_certificate("print")).is_ok());
    for other in ["Print", "prin", "print=", ""] {
        let shown = show(&token, &Proof::default().with_certificate(other));
        assert_eq!(shown, Err(Refusal::WrongCertificate), "{other}");
    }
}

#[test]
fn a_token_that_is_bound_twice_needs_both() {
    let token = bound_to(json!({"jkt": thumbprint(&jwk("es256")), "x5t#S256": "print"}));
    let claims = with(proof_claims(), "ath", encode(digest(&SHA256, token.as_bytes())));
    let proof = signed("es256", &proof_header(), &claims);
    let memory = ReplayMemory::with_capacity(1);
    let dpop = Proof::default().with_dpop(DpopProof::new(&proof, "GET", URI), &memory);

    assert_eq!(show(&token, &dpop), Err(Refusal::ProofRequired));
    assert_eq!(show(&token, &dpop.with_certificate("other")), Err(Refusal::WrongCertificate));
    assert!(show(&token, &dpop.with_certificate("print")).is_ok(), "the refused ones have not used up the proof");
}

#[test]
fn a_proof_passes_once() {
    let memory = ReplayMemory::with_capacity(2);
    let proofs = ["proof-1", "proof-2"].map(|jti| signed("es256", &proof_header(), &with(proof_claims(), "jti", jti)));
    let shown = |proof: &str| show(&TOKEN, &Proof::default().with_dpop(DpopProof::new(proof, "GET", URI), &memory));

    assert!(shown(&proofs[0]).is_ok());
    assert_eq!(shown(&proofs[0]), flawed(ProofFlaw::Replayed));
    // The same proof signed once more is the same proof.
    assert_eq!(shown(&good_proof()), flawed(ProofFlaw::Replayed));
    assert!(shown(&proofs[1]).is_ok());
}

#[test]
fn a_proof_for_another_request_is_refused() {
    for method in ["POST", "get", "GET ", "HEAD"] {
        assert_eq!(present_claims(&with(proof_claims(), "htm", method)), flawed(ProofFlaw::WrongMethod), "{method}");
    }
    for uri in [
        "https://api.example.com/note",
        "https://api.example.com/notes/1",
        "https://api.example.com/notes/",
        "https://api.example.com/Notes",
        "http://api.example.com/notes",
        "https://api.example.com:444/notes",
        "https://evil.example/notes",
        "https://api.example.com@evil.example/notes",
        "/notes",
        "*",
    ] {
        assert_eq!(present_claims(&with(proof_claims(), "htu", uri)), flawed(ProofFlaw::WrongUri), "{uri}");
    }
}

#[test]
fn a_request_without_an_absolute_address_matches_no_proof() {
    let proof = signed("es256", &proof_header(), &with(proof_claims(), "htu", "/notes"));
    let memory = ReplayMemory::with_capacity(1);
    let shown = show(&TOKEN, &Proof::default().with_dpop(DpopProof::new(&proof, "GET", "/notes"), &memory));
    assert_eq!(shown, flawed(ProofFlaw::WrongUri));
}

#[test]
fn query_fragment_and_spelling_of_the_address_do_not_matter() {
    for (made_for, asked) in [
        (URI, "https://api.example.com/notes?page=2#end"),
        ("https://api.example.com/notes?page=1", URI),
        ("HTTPS://API.EXAMPLE.COM:443/n%6ftes", URI),
        (URI, "https://api.example.com:443/./notes"),
    ] {
        let proof = signed("es256", &proof_header(), &with(proof_claims(), "htu", made_for));
        let memory = ReplayMemory::with_capacity(1);
        let shown = show(&TOKEN, &Proof::default().with_dpop(DpopProof::new(&proof, "GET", asked), &memory));
        assert!(shown.is_ok(), "{made_for} {asked}");
    }
}

#[test]
fn a_proof_is_good_for_a_minute_either_way() {
    for ahead in [-60, 60] {
        assert!(present_claims(&with(proof_claims(), "iat", NOW + ahead)).is_ok());
    }
    let at = |iat: i64| present_claims(&with(proof_claims(), "iat", iat));
    assert_eq!(at(NOW - 61), flawed(ProofFlaw::TooOld { seconds: 61 }));
    assert_eq!(at(NOW + 61), flawed(ProofFlaw::FromTheFuture { seconds: 61 }));
    assert!(matches!(at(i64::MIN), Err(Refusal::BadProof(ProofFlaw::TooOld { .. }))));
    assert!(matches!(at(i64::MAX), Err(Refusal::BadProof(ProofFlaw::FromTheFuture { .. }))));

    let proof = signed("es256", &proof_header(), &with(proof_claims(), "iat", NOW - 61));
    let wider = DpopProof::new(&proof, "GET", URI).with_window_seconds(61);
    assert!(wider.check(&TOKEN, &thumbprint(&jwk("es256")), NOW).is_ok());
}

#[test]
fn a_nonce_that_is_asked_for_must_be_there() {
    let nonce = |nonce: Option<&str>| {
        let claims = nonce.map_or_else(proof_claims, |nonce| with(proof_claims(), "nonce", nonce));
        let proof = signed("es256", &proof_header(), &claims);
        let asked = DpopProof::new(&proof, "GET", URI).with_nonce("n1");
        asked.check(&TOKEN, &thumbprint(&jwk("es256")), NOW).map(|_| ())
    };
    assert_eq!(nonce(Some("n1")), Ok(()));
    assert_eq!(nonce(Some("n2")), Err(ProofFlaw::WrongNonce));
    assert_eq!(nonce(None), Err(ProofFlaw::WrongNonce));
    assert!(present_claims(&with(proof_claims(), "nonce", "unasked")).is_ok());
}

#[test]
fn a_proof_for_another_token_is_refused() {
    let hex = "0".repeat(64);
    for ath in [encode(digest(&SHA256, b"another")), TOKEN.clone(), hex, format!("{}=", proof_claims()["ath"])] {
        assert_eq!(present_claims(&with(proof_claims(), "ath", ath)), flawed(ProofFlaw::WrongToken));
    }
}

#[test]
fn a_proof_of_another_key_is_refused() {
    for (kid, alg) in [("es384", "ES384"), ("ed", "EdDSA"), ("rs256", "RS256")] {
        let proof = signed(kid, &json!({"alg": alg, "typ": "dpop+jwt", "jwk": jwk(kid)}), &proof_claims());
        assert_eq!(present(&proof), flawed(ProofFlaw::WrongKey), "{kid}");
    }
    // The thief names the right key and signs with his own.
    let proof = signed("ed", &proof_header(), &proof_claims());
    assert_eq!(present(&proof), flawed(ProofFlaw::BadSignature));
}

#[test]
fn each_claim_of_a_proof_is_required_and_has_its_type() {
    for claim in ["jti", "htm", "htu", "iat", "ath"] {
        assert_eq!(present_claims(&without(proof_claims(), claim)), flawed(ProofFlaw::BadClaim { claim }));
        for odd in [Value::Null, json!([]), json!({}), json!(true), json!(1.5), json!("")] {
            let refused = present_claims(&with(proof_claims(), claim, odd.clone()));
            assert_eq!(refused, flawed(ProofFlaw::BadClaim { claim }), "{claim} {odd}");
        }
    }
    assert_eq!(present_claims(&with(proof_claims(), "nonce", 1)), flawed(ProofFlaw::BadClaim { claim: "nonce" }));
}

#[test]
fn a_jwt_of_another_type_is_no_proof() {
    for typ in ["JWT", "at+jwt", "jwt", "dpop", ""] {
        assert_eq!(present_header(&with(proof_header(), "typ", typ)), flawed(ProofFlaw::NotAProof), "{typ}");
    }
    assert_eq!(present_header(&without(proof_header(), "typ")), flawed(ProofFlaw::NotAProof));
    assert_eq!(present_header(&with(proof_header(), "crit", json!(["exp"]))), flawed(ProofFlaw::NotAProof));
    assert_eq!(present(&TOKEN), flawed(ProofFlaw::NotAProof));
    for text in ["", "a.b.c", "..", "eyJ9.e30.AA"] {
        assert_eq!(present(text), flawed(ProofFlaw::NotAProof), "{text}");
    }
}

#[test]
fn a_proof_is_signed_with_an_asymmetric_algorithm_that_fits_its_key() {
    for alg in ["none", "HS256", "ES512", "es256", ""] {
        assert_eq!(
            present_header(&with(proof_header(), "alg", alg)),
            flawed(ProofFlaw::UnacceptableAlgorithm),
            "{alg}"
        );
    }
    assert_eq!(present_header(&with(proof_header(), "alg", 1)), flawed(ProofFlaw::UnacceptableAlgorithm));
    assert_eq!(present_header(&without(proof_header(), "alg")), flawed(ProofFlaw::UnacceptableAlgorithm));
    for alg in ["ES384", "RS256", "EdDSA"] {
        assert_eq!(present_header(&with(proof_header(), "alg", alg)), flawed(ProofFlaw::UnacceptableKey), "{alg}");
    }
}

#[test]
fn the_key_of_a_proof_is_public_and_whole() {
    let key = jwk("es256");
    let mut odd = vec![
        with(key.clone(), "crv", "P-384"),
        with(key.clone(), "use", "enc"),
        with(key.clone(), "alg", "ES384"),
        with(key.clone(), "y", key["x"].clone()),
        without(key.clone(), "y"),
        json!({"kty": "oct", "k": "AAAA"}),
        json!({"kty": "RSA", "n": encode([0xff; 128]), "e": "AQAB"}),
        json!({}),
        json!("es256"),
        Value::Null,
    ];
    odd.extend(["d", "p", "q", "dp", "dq", "qi", "oth", "k"].map(|private| with(key.clone(), private, "AAAA")));
    odd.push(with(with(key.clone(), "d", "AAAA"), "p", "AAAA"));
    odd.push(with(key, "d", Value::Null));
    for jwk in odd {
        assert_eq!(
            present_header(&with(proof_header(), "jwk", jwk.clone())),
            flawed(ProofFlaw::UnacceptableKey),
            "{jwk}"
        );
    }
    assert_eq!(present_header(&without(proof_header(), "jwk")), flawed(ProofFlaw::UnacceptableKey));
    assert!(present_header(&with(proof_header(), "jwk", with(jwk("es256"), "kid", "any"))).is_ok());
}

#[test]
fn members_that_stand_twice_are_refused() {
    let twice = |text: &Value, member: &str| text.to_string().replacen('{', &format!("{{{member},"), 1);
    let sign = |header: &str, claims: &str| SIGNER.token(header, claims);

    let key = twice(&jwk("es256"), r#""x":"AAAA""#);
    let header = proof_header().to_string().replace(&jwk("es256").to_string(), &key);
    assert_eq!(present(&sign(&header, &proof_claims().to_string())), flawed(ProofFlaw::UnacceptableKey));
    let header = twice(&proof_header(), r#""alg":"ES256""#);
    assert_eq!(present(&sign(&header, &proof_claims().to_string())), flawed(ProofFlaw::NotAProof));
    let claims = twice(&proof_claims(), r#""htm":"POST""#);
    assert_eq!(present(&sign(&proof_header().to_string(), &claims)), flawed(ProofFlaw::NotAProof));
}

#[test]
fn a_proof_that_is_too_long_is_not_read() {
    let long = signed("es256", &proof_header(), &with(proof_claims(), "x", "x".repeat(8192)));
    assert_eq!(present(&long), flawed(ProofFlaw::TooLong { limit: 8192 }));
    let long = present_header(&with(proof_header(), "x", "x".repeat(4096)));
    assert_eq!(long, flawed(ProofFlaw::TooLong { limit: 4096 }));
}

#[test]
fn a_token_that_is_refused_does_not_use_up_its_proof() {
    let memory = ReplayMemory::with_capacity(1);
    let proof = good_proof();
    let shown = Proof::default().with_dpop(DpopProof::new(&proof, "GET", URI), &memory);
    let elsewhere = Verifier::new(ISSUER, ["https://b.example.com"]).verify_bound(&TOKEN, &SIGNER.keys, NOW, &shown);
    assert!(matches!(elsewhere, Err(Refusal::WrongAudience { .. })));
    assert!(show(&TOKEN, &shown).is_ok());
}

#[test]
fn the_client_is_told_what_to_do_in_the_words_of_the_standard() {
    let algs = "algs=\"RS256 PS256 ES256 ES384 EdDSA\"";
    for (refusal, status, error) in [
        (Refusal::BadProof(ProofFlaw::BadSignature), 401, Some("invalid_dpop_proof")),
        (Refusal::BadProof(ProofFlaw::Replayed), 401, Some("invalid_dpop_proof")),
        (Refusal::BadProof(ProofFlaw::WrongNonce), 401, Some("use_dpop_nonce")),
        (Refusal::BadProof(ProofFlaw::WrongKey), 401, Some("invalid_token")),
        (Refusal::NotBound, 401, Some("invalid_token")),
        (Refusal::BadProof(ProofFlaw::MemoryFull), 503, None),
    ] {
        let challenge = error.map(|error| format!("DPoP error=\"{error}\", {algs}"));
        assert_eq!((refusal.http_status(), refusal.challenge()), (status, challenge), "{refusal}");
    }
}

static PROOF: LazyLock<String> = LazyLock::new(good_proof);

proptest! {
    #[test]
    fn no_change_of_a_character_of_the_proof_passes(at in 0..PROOF.len(), other in "[ -~]") {
        let mut changed = PROOF.clone();
        changed.replace_range(at..=at, &other);
        prop_assume!(changed != *PROOF);
        prop_assert!(matches!(present(&changed), Err(Refusal::BadProof(_))));
    }

    #[test]
    fn no_text_at_all_makes_the_check_panic(text in any::<String>(), uri in any::<String>()) {
        let proof = signed("es256", &proof_header(), &with(proof_claims(), "htu", uri.as_str()));
        let jkt = thumbprint(&jwk("es256"));
        prop_assert!(DpopProof::new(&text, "GET", URI).check(&TOKEN, &jkt, NOW).is_err());
        prop_assert!(DpopProof::new(&proof, "GET", URI).check(&TOKEN, &jkt, NOW).is_err());
    }
}
