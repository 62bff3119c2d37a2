//! Which signed lists are taken, and what they say.

use serde_json::{Value, json};
use tokenhouse_verifier::{Refusal, StatusList, StatusListError};

use crate::issuer::{lst, sign_list, zlib};
use crate::signer::{NOW, SIGNER, encode, header, with, without};

const URI: &str = "https://id.example.com/status/0";

fn claims() -> Value {
    json!({
        "sub": URI, "iat": NOW, "exp": NOW + 60, "ttl": 2, "status_list": {"bits": 1, "lst": lst(&[0, 9, 1023])},
    })
}

fn read(token: &str) -> Result<StatusList, StatusListError> {
    StatusList::from_token(token, URI, &SIGNER.keys, NOW)
}

fn read_content(bits: u8, lst: &str) -> Result<StatusList, StatusListError> {
    read(&sign_list(&with(claims(), "status_list", json!({"bits": bits, "lst": lst}))))
}

#[test]
fn a_list_says_which_indexes_are_revoked_and_as_of_when() {
    let list = read(&sign_list(&claims())).unwrap();

    assert_eq!((list.uri(), list.issued_at(), list.ttl().unwrap().as_secs()), (URI, NOW, 2));
    assert_eq!(list.revoked().collect::<Vec<_>>(), [0, 9, 1023]);
    assert_eq!(list.check(9), Err(Refusal::Revoked));
    assert_eq!(list.check(8), Ok(()));
}

#[test]
fn the_examples_of_the_draft_are_read_as_it_says() {
    let one = read_content(1, "eNrbuRgAAhcBXQ").unwrap();
    let bits: Vec<u8> = (0..16).map(|index| one.get(index).unwrap()).collect();
    assert_eq!(bits, [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]);

    let two = read_content(2, "eNo76fITAAPfAgc").unwrap();
    let statuses: Vec<u8> = (0..12).map(|index| two.get(index).unwrap()).collect();
    assert_eq!(statuses, [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]);
    assert_eq!(two.revoked().collect::<Vec<_>>(), [0, 1, 3, 5, 7, 8, 9, 10, 11]);
}

#[test]
fn a_index_may_have_four_or_eight_bits_and_no_other_number() {
    let content = encode(zlib(&[0x2f, 0x00, 0x01]));
    let all = |bits| {
        let list = read_content(bits, &content).unwrap();
        (0..).map_while(|index| list.get(index)).collect::<Vec<_>>()
    };
    assert_eq!(all(4), [15, 2, 0, 0, 1, 0]);
    assert_eq!(all(8), [0x2f, 0, 1]);
    for bits in [0, 3, 5, 6, 7, 9, 16, 255] {
        assert_eq!(read_content(bits, &content), Err(StatusListError::Malformed), "{bits}");
    }
}

#[test]
fn a_index_outside_the_list_is_refused() {
    let list = read(&sign_list(&claims())).unwrap();
    for index in [1024, 1025, u64::from(u32::MAX), u64::MAX] {
        assert_eq!(list.get(index), None);
        assert_eq!(list.check(index), Err(Refusal::OutsideStatusList { index }));
    }
}

#[test]
fn another_kind_of_token_is_no_list() {
    for typ in ["at+jwt", "JWT", "secevent+jwt", ""] {
        let token = SIGNER.token(&with(header(), "typ", typ).to_string(), &claims().to_string());
        assert_eq!(read(&token), Err(StatusListError::NotAStatusList), "{typ}");
    }
}

#[test]
fn a_list_that_the_issuer_has_not_signed_is_refused() {
    let token = sign_list(&claims());
    let (message, signature) = token.rsplit_once('.').unwrap();
    let other = sign_list(&with(claims(), "iat", NOW - 1));
    let swapped = format!("{}.{signature}", other.rsplit_once('.').unwrap().0);
    assert_eq!(read(&swapped), Err(StatusListError::Unsigned(Refusal::BadSignature)));
    assert_eq!(read(message), Err(StatusListError::Unsigned(Refusal::NotThreeParts)));
    let foreign = SIGNER.token(r#"{"alg":"ES256","typ":"statuslist+jwt","kid":"x"}"#, &claims().to_string());
    assert_eq!(read(&foreign), Err(StatusListError::Unsigned(Refusal::UnknownKey { kid: "x".into() })));
}

#[test]
fn a_list_for_another_address_is_refused() {
    let found = "https://id.example.com/status/1".to_owned();
    let token = sign_list(&with(claims(), "sub", found.clone()));
    assert_eq!(read(&token), Err(StatusListError::AnotherList { found }));
}

#[test]
fn a_list_is_refused_once_it_has_expired_and_before_it_was_issued() {
    let token = sign_list(&claims());
    let at = |now| StatusList::from_token(&token, URI, &SIGNER.keys, now);
    assert!(at(NOW + 119).is_ok());
    assert_eq!(at(NOW + 120), Err(StatusListError::Expired { seconds_ago: 60 }));
    assert!(at(NOW - 60).is_ok());
    assert_eq!(at(NOW - 61), Err(StatusListError::IssuedInTheFuture { seconds: 61 }));
}

#[test]
fn a_list_that_is_too_long_is_refused_before_and_while_it_is_inflated() {
    let of_zeros = |length| encode(zlib(&vec![0; length]));
    assert_eq!(read_content(1, &of_zeros(1024 * 1024 + 1)), Err(StatusListError::TooLong));
    assert!(read_content(1, &of_zeros(1024 * 1024)).is_ok());
    assert_eq!(read(&"a".repeat(1024 * 1024 + 1)), Err(StatusListError::TooLong));
}

#[test]
fn what_cannot_be_read_is_malformed() {
    let raw = encode([0b1011_1001, 0b1010_0011]);
    for lst in ["", "A", "????", "eNrbuRgAAhcBXQ==", "eNrbuRgAAhcB", &raw] {
        assert_eq!(read_content(1, lst), Err(StatusListError::Malformed), "{lst}");
    }
    for name in ["sub", "iat", "status_list"] {
        assert_eq!(read(&sign_list(&without(claims(), name))), Err(StatusListError::Malformed), "{name}");
    }
    for (name, value) in [
        ("exp", Value::Null),
        ("exp", "1".into()),
        ("iat", 1.5.into()),
        ("ttl", Value::Null),
        ("ttl", (-1).into()),
        ("ttl", "2".into()),
        ("sub", 1.into()),
        ("status_list", json!([])),
    ] {
        let read = read(&sign_list(&with(claims(), name, value.clone())));
        assert_eq!(read, Err(StatusListError::Malformed), "{name}: {value}");
    }
}

#[test]
fn a_list_may_leave_out_when_it_expires_and_how_often_to_read_it() {
    let list = read(&sign_list(&without(without(claims(), "exp"), "ttl"))).unwrap();
    assert_eq!(list.ttl(), None);
}
