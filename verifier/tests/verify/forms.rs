//! Texts that are not a token in its one canonical form.

use tokenhouse_verifier::{Part, Refusal, Verifier};

use crate::signer::{AUDIENCE, ISSUER, NOW, SIGNER, claims, encode, header, verify};

fn good() -> String {
    SIGNER.token(&header().to_string(), &claims().to_string())
}

#[test]
fn a_text_without_exactly_three_parts_is_refused() {
    let good = good();
    let (unsigned, _) = good.rsplit_once('.').unwrap();
    let five = format!("{good}.a.b");
    for text in ["", ".", "..", "...", "a", "a.b", "a..c", ".b.c", unsigned, &format!("{unsigned}."), &five] {
        assert_eq!(verify(text), Err(Refusal::NotThreeParts), "{text}");
    }
}

#[test]
fn many_dots_are_refused_without_being_taken_apart() {
    assert_eq!(verify(&".".repeat(1 << 20)), Err(Refusal::TooLong { length: 1 << 20, limit: 16_384 }));
    assert_eq!(verify(&".".repeat(16_384)), Err(Refusal::NotThreeParts));
}

#[test]
fn the_longest_token_is_a_setting() {
    let good = good();
    let verifier = Verifier::new(ISSUER, [AUDIENCE]);
    assert!(verifier.clone().with_max_token_length(good.len()).verify(&good, &SIGNER.keys, NOW).is_ok());
    let limit = good.len() - 1;
    let refused = verifier.with_max_token_length(limit).verify(&good, &SIGNER.keys, NOW);
    assert_eq!(refused, Err(Refusal::TooLong { length: good.len(), limit }));
}

#[test]
fn every_truncation_is_refused() {
    let good = good();
    for end in 0..good.len() {
        assert!(verify(&good[..end]).is_err(), "{end}");
    }
}

#[test]
fn every_change_of_a_single_character_is_refused() {
    let good = good();
    for at in 0..good.len() {
        for other in ["A", "w", "."] {
            let mut changed = good.clone();
            changed.replace_range(at..=at, other);
            assert!(changed == good || verify(&changed).is_err(), "{at}");
        }
    }
}

#[test]
fn characters_before_or_after_the_token_are_refused() {
    let good = good();
    for extra in [" ", "\n", "=", "==", "A", "é", "\0", "."] {
        assert!(verify(&format!("{good}{extra}")).is_err(), "{extra:?} after");
        assert!(verify(&format!("{extra}{good}")).is_err(), "{extra:?} before");
    }
}

#[test]
fn base64_that_is_not_canonical_is_refused() {
    // An ES256 signature has 64 octets: its last character carries two bits of value and four that must be zero.
    let good = good();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = alphabet.find(&good[good.len() - 1..]).unwrap();
    let stray = format!("{}{}", &good[..good.len() - 1], &alphabet[last + 1..last + 2]);
    assert_eq!(verify(&stray), Err(Refusal::NotBase64 { part: Part::Signature }));

    let parts: Vec<&str> = good.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!("three parts") };
    let padded = format!("{header}=.{payload}.{signature}");
    assert_eq!(verify(&padded), Err(Refusal::NotBase64 { part: Part::Header }));
    let spaced = format!("{header}\r\n.{payload}.{signature}");
    assert_eq!(verify(&spaced), Err(Refusal::NotBase64 { part: Part::Header }));
    // The alphabet of ordinary base64.
    assert_eq!(verify(&format!("{header}.{payload}.+/{signature}")), Err(Refusal::NotBase64 { part: Part::Signature }));
}

#[test]
fn a_part_that_is_not_one_json_object_is_refused() {
    let (header, claims) = (header().to_string(), claims().to_string());
    let array = r#"["ES256","es256","at+jwt"]"#;
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(3000), "]".repeat(3000));
    for odd in
        ["", "null", "1", "\"x\"", "[]", array, "{", "{}{}", "{} x", "{\"alg\":\"ES256\"", "{\"alg\":\"", &deep[..2900]]
    {
        assert_eq!(verify(&SIGNER.token(odd, &claims)), not_an_object(odd, Part::Header), "{odd}");
        assert_eq!(verify(&SIGNER.token(&header, odd)), not_an_object(odd, Part::Payload), "{odd}");
    }
    let invalid = format!("{}.{}", encode(&header), encode(b"{\"sub\":\"\xff\"}"));
    let token = format!("{invalid}.{}", encode(SIGNER.sign("es256", invalid.as_bytes())));
    assert!(verify(&token).is_err());
}

fn not_an_object<T>(text: &str, part: Part) -> Result<T, Refusal> {
    // Nothing at all between two dots is not even a part.
    Err(if text.is_empty() { Refusal::NotThreeParts } else { Refusal::NotAnObject { part } })
}

#[test]
fn a_refusal_never_repeats_the_token() {
    let good = good();
    let signature = good.rsplit('.').next().unwrap();
    for text in [good.replacen('A', "B", 1), format!("{good}A"), format!(" {good}"), good[..good.len() - 3].to_owned()]
    {
        let refusal = verify(&text).unwrap_err();
        assert!(!format!("{refusal} {refusal:?}").contains(&signature[..20]));
    }
}
