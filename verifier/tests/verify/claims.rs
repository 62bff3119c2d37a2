//! What the claims may not say, even when the signature is right.

use serde_json::{Value, json};
use tokenhouse_verifier::{AccessToken, Part, Refusal, Verifier};

use crate::signer::{AUDIENCE, ISSUER, NOW, SIGNER, claims, header, verify, verify_claims, with, without};

#[test]
fn each_required_claim_is_required() {
    for claim in ["iss", "sub", "aud", "exp", "iat", "jti", "client_id"] {
        assert_eq!(verify_claims(&without(claims(), claim)), Err(Refusal::MissingClaim { claim }));
        assert_eq!(verify_claims(&with(claims(), claim, Value::Null)), Err(Refusal::WrongClaimType { claim }));
    }
}

#[test]
fn a_time_that_is_not_a_whole_number_is_refused_and_not_treated_as_absent() {
    let odd =
        [json!("9999999999"), json!("x"), json!(1e12), json!(1_767_225_900.5), json!(true), json!([1]), json!({})];
    for claim in ["exp", "nbf", "iat", "auth_time"] {
        for value in odd.iter().chain([&Value::Null, &json!(u64::MAX)]) {
            let refused = verify_claims(&with(claims(), claim, value.clone()));
            assert_eq!(refused, Err(Refusal::WrongClaimType { claim }), "{claim} {value}");
        }
    }
}

#[test]
fn every_known_claim_of_the_wrong_type_is_refused() {
    let texts = ["iss", "sub", "jti", "client_id", "scope", "sid", "acr", "token_type", "user_id"];
    for claim in texts {
        for value in [json!(1), json!(["a"]), json!({}), Value::Null] {
            assert_eq!(verify_claims(&with(claims(), claim, value)), Err(Refusal::WrongClaimType { claim }));
        }
    }
    for claim in ["amr", "roles", "groups"] {
        for value in [json!("a"), json!([1]), json!([null]), Value::Null] {
            assert_eq!(verify_claims(&with(claims(), claim, value)), Err(Refusal::WrongClaimType { claim }));
        }
    }
}

#[test]
fn a_status_that_cannot_be_looked_up_is_refused() {
    let odd = [
        json!({}),
        json!({"other": {}}),
        json!({"status_list": {"idx": "1", "uri": "u"}}),
        json!({"status_list": {"idx": -1, "uri": "u"}}),
        json!({"status_list": {"idx": 1}}),
        Value::Null,
    ];
    for value in odd {
        let refused = verify_claims(&with(claims(), "status", value.clone()));
        assert_eq!(refused, Err(Refusal::WrongClaimType { claim: "status" }), "{value}");
    }
}

#[test]
fn a_token_that_is_bound_in_an_unknown_way_is_refused() {
    for value in [
        json!({}),
        json!({"jwk": {}}),
        json!({"jkt": 1}),
        json!("jkt"),
        json!({"jkt": null, "x5t#S256": "print"}),
        Value::Null,
    ] {
        let refused = verify_claims(&with(claims(), "cnf", value.clone()));
        assert_eq!(refused, Err(Refusal::WrongClaimType { claim: "cnf" }), "{value}");
    }
}

#[test]
fn a_claim_that_stands_twice_is_refused() {
    let twice = claims().to_string().replacen('{', r#"{"sub":"mallory","#, 1);
    let escaped = claims().to_string().replacen('{', r#"{"\u0073ub":"mallory","#, 1);
    for payload in [twice, escaped] {
        let refused = verify(&SIGNER.token(&header().to_string(), &payload));
        assert_eq!(refused, Err(Refusal::DuplicateMember { part: Part::Payload }));
    }
    let header = header().to_string().replacen('{', r#"{"alg":"none","#, 1);
    let refused = verify(&SIGNER.token(&header, &claims().to_string()));
    assert_eq!(refused, Err(Refusal::DuplicateMember { part: Part::Header }));
}

#[test]
fn another_issuer_is_refused_even_when_it_only_looks_alike() {
    let alike =
        ["https://id.example.com/", "https://id.example.co", "https://id", "HTTPS://ID.EXAMPLE.COM", "", "evil"];
    for iss in alike {
        assert_eq!(verify_claims(&with(claims(), "iss", iss)), Err(Refusal::WrongIssuer { found: iss.into() }));
    }
}

#[test]
fn a_token_for_another_service_is_refused() {
    for aud in [json!("https://b.example.com"), json!("https://api.example.com/"), json!("https://api"), json!([])] {
        let refused = verify_claims(&with(claims(), "aud", aud.clone()));
        assert!(matches!(refused, Err(Refusal::WrongAudience { .. })), "{aud}");
    }
    for aud in [json!(1), json!([1]), json!([AUDIENCE, null]), json!({AUDIENCE: true})] {
        let refused = verify_claims(&with(claims(), "aud", aud.clone()));
        assert_eq!(refused, Err(Refusal::WrongClaimType { claim: "aud" }), "{aud}");
    }
}

#[test]
fn one_audience_of_several_is_enough_on_either_side() {
    let token = SIGNER.token(&header().to_string(), &with(claims(), "aud", json!(["x", AUDIENCE])).to_string());
    assert!(verify(&token).is_ok());
    assert!(Verifier::new(ISSUER, ["y", AUDIENCE]).verify(&token, &SIGNER.keys, NOW).is_ok());
}

#[test]
fn a_verifier_without_an_audience_accepts_nothing() {
    let token = SIGNER.token(&header().to_string(), &claims().to_string());
    let refused = Verifier::new(ISSUER, Vec::<String>::new()).verify(&token, &SIGNER.keys, NOW);
    assert!(matches!(refused, Err(Refusal::WrongAudience { .. })));
}

fn at(time: i64, leeway: u32, claims: &Value) -> Result<AccessToken, Refusal> {
    let token = SIGNER.token(&header().to_string(), &claims.to_string());
    Verifier::new(ISSUER, [AUDIENCE]).with_leeway_seconds(leeway).verify(&token, &SIGNER.keys, time)
}

#[test]
fn a_token_expires_at_the_second_it_names_plus_the_leeway() {
    let exp = NOW + 200;
    assert!(at(exp - 1, 0, &claims()).is_ok());
    assert_eq!(at(exp, 0, &claims()), Err(Refusal::Expired { seconds_ago: 0 }));
    assert!(at(exp + 59, 60, &claims()).is_ok());
    assert_eq!(at(exp + 60, 60, &claims()), Err(Refusal::Expired { seconds_ago: 60 }));
    assert_eq!(Refusal::Expired { seconds_ago: 12 }.to_string(), "the token expired 12 s ago");
}

#[test]
fn a_token_from_the_future_is_refused_beyond_the_leeway() {
    assert!(verify_claims(&with(claims(), "iat", NOW + 60)).is_ok());
    let refused = verify_claims(&with(claims(), "iat", NOW + 61));
    assert_eq!(refused, Err(Refusal::IssuedInTheFuture { seconds: 61 }));
}

#[test]
fn a_token_that_is_not_valid_yet_is_refused_beyond_the_leeway() {
    assert!(verify_claims(&with(claims(), "nbf", NOW + 60)).is_ok());
    assert_eq!(verify_claims(&with(claims(), "nbf", NOW + 61)), Err(Refusal::NotYetValid { seconds: 61 }));
}

#[test]
fn extreme_times_neither_overflow_nor_pass() {
    for extreme in [i64::MIN, i64::MIN + 1, -1, 0] {
        assert!(matches!(verify_claims(&with(claims(), "exp", extreme)), Err(Refusal::Expired { .. })));
    }
    assert!(matches!(verify_claims(&with(claims(), "iat", i64::MAX)), Err(Refusal::IssuedInTheFuture { .. })));
    assert!(matches!(verify_claims(&with(claims(), "nbf", i64::MAX)), Err(Refusal::NotYetValid { .. })));
    assert!(matches!(at(i64::MAX, u32::MAX, &with(claims(), "exp", i64::MAX)), Err(Refusal::Expired { .. })));
    assert!(at(i64::MIN, u32::MAX, &claims()).is_err());
}
