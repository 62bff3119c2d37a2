//! The shared vectors, `vectors/vectors.json`: each is judged as it says, by this verifier, and the file is what is
//! made here from the test keys beside it.
//!
//! `cargo test -p tokenhouse-verifier --test vectors -- --ignored` writes it anew. Signatures that are random stay as
//! they were as long as what is signed stays the same.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod claims;
mod file;
mod forms;
mod good;
mod headers;
mod judge;
mod keys;
mod status;
#[path = "../support/token.rs"]
mod token;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::file::{Case, Vectors};

#[test]
fn every_case_is_judged_as_the_file_says() {
    let vectors = Vectors::read();
    for case in &vectors.cases {
        match (judge::judge(&vectors, case), &case.claims) {
            (Ok(found), Some(expected)) => assert_same_claims(case, &found, expected),
            (found, _) => assert_eq!(found.err().map(|refusal| judge::reason(&refusal)), case.reason, "{}", case.name),
        }
    }
}

/// What was read is what stands in the token, with an audience always as an array and without unknown claims.
fn assert_same_claims(case: &Case, found: &Value, expected: &Value) {
    let mut expected = expected.clone();
    if expected["aud"].is_string() {
        expected["aud"] = Value::Array(vec![expected["aud"].take()]);
    }
    expected.as_object_mut().unwrap().remove("tenant");
    assert_eq!((case.reason, found), (None, &expected), "{}", case.name);
}

#[test]
fn every_refusal_that_a_token_can_cause_occurs() {
    // These need a second rule of the service, a proof, or a service that was cut off.
    let others =
        ["ExtraClaims", "MissingScope", "BadProof", "NotBound", "WrongCertificate", "StatusStale", "KeysStale"];
    let source = include_str!("../../src/refusal.rs").split("pub enum Part").next().unwrap();
    let variants = source
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| line.starts_with(|first: char| first.is_ascii_uppercase()));
    let expected: BTreeSet<String> =
        variants.map(judge::first_word).filter(|name| !others.contains(&name.as_str())).collect();

    let vectors = Vectors::read();
    let refusals = vectors.cases.iter().filter_map(|case| judge::judge(&vectors, case).err());
    let found: BTreeSet<String> = refusals.map(|refusal| judge::first_word(&format!("{refusal:?}"))).collect();

    assert!(expected.len() > 20, "{expected:?}");
    assert_eq!(found, expected);
}

#[test]
fn names_are_unique_and_reasons_are_explained() {
    let vectors = Vectors::read();
    let names: BTreeMap<&str, &Case> = vectors.cases.iter().map(|case| (case.name.as_str(), case)).collect();
    assert_eq!(names.len(), vectors.cases.len());

    let page = include_str!("../../vectors/README.md");
    for reason in vectors.cases.iter().filter_map(|case| case.reason) {
        let word = serde_json::to_value(reason).unwrap();
        assert!(page.contains(&format!("| `{}` |", word.as_str().unwrap())), "{word}");
    }
}

#[test]
fn the_file_is_what_is_made_from_the_test_keys() {
    assert!(Vectors::make().to_text() == file::text(), "write it anew, as the head of this test says");
}

#[test]
#[ignore = "writes vectors/vectors.json"]
fn write_the_vectors() {
    std::fs::write(file::PATH, Vectors::make().to_text()).unwrap();
}
