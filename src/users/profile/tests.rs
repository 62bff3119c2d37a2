use serde_json::json;

use super::*;

fn change(patch: Value) -> ProfileChange {
    serde_json::from_value(patch).unwrap()
}

fn refusal(patch: Value) -> String {
    change(patch).applied_to(&Profile::default()).unwrap_err().to_string()
}

/// Every claim but `updated_at`.
fn everything() -> Value {
    json!({
        "name": "Alice Doe", "given_name": "Alice", "family_name": "Doe", "middle_name": "B.", "nickname": "Al",
        "preferred_username": "alice d", "profile": "https://example.org/alice", "gender": "female",
        "picture": "https://example.org/alice.png", "website": "http://alice.example", "birthdate": "1990-02-28",
        "zoneinfo": "Europe/Paris", "locale": "en-US", "phone_number": "+1 (425) 555-1212",
        "phone_number_verified": true,
        "address": { "formatted": "1 Rue\r\n75001 Paris", "street_address": "1 Rue", "locality": "Paris",
            "region": "IDF", "postal_code": "75001", "country": "France" },
    })
}

#[test]
fn a_profile_serializes_to_the_claims_that_were_set_and_no_others() {
    let profile = change(everything()).applied_to(&Profile::default()).unwrap();

    assert_eq!(serde_json::to_value(&profile).unwrap(), everything());
    let mut names: Vec<String> = everything().as_object().unwrap().keys().cloned().collect();
    names.push("updated_at".to_owned());
    assert_eq!(names.len(), Profile::CLAIMS.len());
    assert!(names.iter().all(|name| Profile::CLAIMS.contains(&name.as_str())));
    assert_eq!(serde_json::to_value(Profile::default()).unwrap(), json!({}));
}

#[test]
fn what_is_absent_stays_and_null_takes_away() {
    let before = change(everything()).applied_to(&Profile::default()).unwrap();

    let after = change(json!({ "nickname": null, "address": { "region": null, "locality": "Lyon" } }))
        .applied_to(&before)
        .unwrap();

    let mut wanted = everything();
    wanted.as_object_mut().unwrap().remove("nickname");
    wanted["address"].as_object_mut().unwrap().remove("region");
    wanted["address"]["locality"] = json!("Lyon");
    assert_eq!(serde_json::to_value(&after).unwrap(), wanted);
    let parts: Map<String, Value> = Address::PARTS.iter().map(|part| ((*part).to_owned(), Value::Null)).collect();
    let empty = change(json!({ "address": parts })).applied_to(&before).unwrap();
    assert_eq!(empty.address, None, "an address without parts is none");
}

#[test]
fn only_claims_of_the_standard_are_taken() {
    for (patch, words) in [
        (json!({ "sub": "x" }), "there is no claim \"sub\"; there are name, given_name"),
        (json!({ "email": "x" }), "there is no claim \"email\""),
        (json!({ "name#de": "x" }), "there is no claim"),
        (json!({ "updated_at": 1 }), "updated_at is set by the service itself"),
        (json!({ "address": { "city": "x" } }), "there is no part of address \"city\"; there are formatted"),
    ] {
        let said = refusal(patch);
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn a_value_of_the_wrong_type_is_refused_by_its_name_and_not_repeated() {
    for (claim, value) in [
        ("name", json!(4711)),
        ("name", json!(["4711"])),
        ("name", json!({ "4711": true })),
        ("phone_number_verified", json!("4711")),
        ("address", json!("4711")),
        ("address", json!({ "country": 4711 })),
    ] {
        let said = refusal(json!({ claim: value }));
        assert_eq!(said, format!("the claim {claim} is not of the right type"));
    }
}

#[test]
fn each_claim_has_the_form_that_the_standard_gives_it() {
    let long = "x".repeat(257);
    for (claim, good, bad) in [
        ("name", vec!["Alice", "Zoë Müller-Łuc", "李"], vec![" ", "a\nb", "a\0", "a\u{85}", &long]),
        ("gender", vec!["female", "male", "non-binary"], vec!["\t", &long]),
        (
            "picture",
            vec!["https://example.org/a?b#c", "http://[::1]:8080/x"],
            vec![
                "javascript:alert(1)",
                "data:image/png;base64,AAAA",
                "/a.png",
                "https://",
                "https://u:p@x.org/",
                "ftp://x/y",
                "https://x.org/a b",
            ],
        ),
        (
            "birthdate",
            vec!["1990-12-31", "2000-02-29", "0000-02-29", "1990"],
            vec![
                "1990-13-01",
                "1990-02-29",
                "1900-02-29",
                "1990-00-10",
                "1990-01-00",
                "90-01-01",
                "0000",
                "1990-1-1",
                "1990-01",
                "1990-01-01T00:00",
                "+990-01-01",
                "19900101",
            ],
        ),
        (
            "zoneinfo",
            vec!["Europe/Paris", "America/Argentina/La_Rioja", "Etc/GMT+5", "UTC"],
            vec!["+01:00", "Europe/", "/Paris", "Europe Paris", "../etc/passwd"],
        ),
        (
            "locale",
            vec!["en", "en-US", "en_US", "zh-Hant-TW", "de-1996"],
            vec!["e", "en-", "en US", "12", "en-toolongword"],
        ),
        (
            "phone_number",
            vec!["+1 (425) 555-1212", "+56 (2) 687 2400", "+1 (604) 555-1234;ext=5678", "+4930123456"],
            vec![
                "030 123456",
                "+",
                "+12",
                "+1234567890123456",
                "+49 30 123456 x7",
                "+49 30 123;ext=",
                "+49 30 123;ext=a",
                "+(49) 30",
                "+ 49 30 123",
            ],
        ),
    ] {
        for text in good {
            let profile = change(json!({ claim: text })).applied_to(&Profile::default()).unwrap();
            assert_eq!(serde_json::to_value(profile).unwrap()[claim], text);
        }
        for text in bad {
            let said = refusal(json!({ claim: text }));
            assert!(
                said.starts_with(&format!("the claim {claim} ")) && !said.contains("not of the right"),
                "{text:?}: {said}"
            );
        }
    }
    assert!(refusal(json!({ "address": { "locality": "a\nb" } })).contains("address.locality"));
    assert!(refusal(json!({ "address": { "formatted": "a\tb" } })).contains("address.formatted"));
}

#[test]
fn another_phone_number_is_not_verified_unless_it_is_said_so() {
    let before = change(everything()).applied_to(&Profile::default()).unwrap();
    let verified = |patch: Value| change(patch).applied_to(&before).unwrap().phone_number_verified;

    assert_eq!(verified(json!({ "phone_number": "+33 1 23" })), None);
    assert_eq!(verified(json!({ "phone_number": "+33 1 23", "phone_number_verified": true })), Some(true));
    assert_eq!(verified(json!({ "phone_number": "+1 (425) 555-1212" })), Some(true), "it is the same");
    assert_eq!(verified(json!({ "phone_number": null })), None);
    assert!(refusal(json!({ "phone_number_verified": true })).contains("no phone_number"));
}

#[test]
fn claims_are_typed_as_texts() {
    let mut typed = ProfileChange::default();
    for (claim, text) in [
        ("name", "Alice = Doe"),
        ("nickname", ""),
        ("phone_number_verified", "false"),
        ("address.locality", "Paris"),
        ("address.country", ""),
    ] {
        typed.set(claim, text).unwrap();
    }

    let wanted = json!({ "name": "Alice = Doe", "nickname": null, "phone_number_verified": false,
        "address": { "locality": "Paris", "country": null } });
    assert_eq!(typed, change(wanted));
    for (claim, words) in [
        ("name", "the claim name is set twice"),
        ("address.locality", "the claim address.locality is set twice"),
        ("address", "write address.locality=Paris"),
        ("phone_number_verified", "is true or false"),
        ("nick", "there is no claim"),
        ("updated_at", "set by the service"),
        ("name.first", "there is no claim"),
        ("address.city", "there is no part of address"),
    ] {
        let said = typed.clone().set(claim, "x").map_or_else(|error| error.to_string(), |()| "taken".to_owned());
        assert!(said.starts_with(words) || said.contains(words), "{claim}: {said}");
    }
}
