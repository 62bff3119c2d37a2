//! How a record steps forward, what it remembers, and its text.

use proptest::prelude::*;

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_789);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

fn grant() -> SessionGrant {
    SessionGrant {
        client_id: "web".parse().unwrap(),
        user_id: UserId(uuid::Uuid::from_u128(7)),
        scope: Scope::parse("openid profile").unwrap(),
        audience: vec!["https://api.example.com".to_owned()],
        status_index: 12,
        began_at: NOW,
        auth_time: NOW.seconds(),
        amr: vec!["pwd".to_owned()],
        acr: Acr::Password,
        roles: Vec::new(),
        groups: vec!["staff \"1\"\n".to_owned()],
        claims: Vec::new(),
        confirmation: None,
    }
}

fn begun() -> RotationRecord {
    RotationRecord::begin(grant(), NOW, DAY, NOW.plus(DAY * 30))
}

fn generation(number: u64, branch: u32) -> Generation {
    Generation { number, branch }
}

// --- steps -------------------------------------------------------------------------------------------------------------

#[test]
fn a_session_begins_with_the_first_token_and_whole_seconds() {
    let record = RotationRecord::begin(grant(), NOW, Duration::from_millis(90_999), NOW.plus(DAY));

    assert_eq!((record.current, record.issued_at), (generation(0, 0), NOW));
    assert_eq!(record.lifetime, Duration::from_secs(90));
    assert_eq!(record.expires_at, Timestamp::from_seconds(1_800_000_090));
    assert_eq!(record.ends_at, Timestamp::from_seconds(1_800_086_400));
    assert_eq!((record.repeats, record.ancestors.len()), (Repeats::default(), 0));
}

#[test]
fn a_rotated_token_becomes_the_first_ancestor() {
    let record = RotationRecord { current: generation(3, 2), ..begun() };

    let next = record.advanced(NOW.plus(HOUR));

    assert_eq!(next.current, generation(4, 0));
    assert_eq!(next.issued_at, NOW.plus(HOUR));
    assert_eq!(next.expires_at, Timestamp::from_seconds(NOW.plus(HOUR + DAY).seconds()));
    assert_eq!(next.ancestors, [Ancestor { branch: 2, rotated_at: NOW.plus(HOUR) }]);
    assert_eq!((next.ends_at, next.grant), (record.ends_at, record.grant));
}

#[test]
fn four_ancestors_are_remembered_newest_first() {
    let mut record = begun();
    for hours in 1..=6 {
        record = record.advanced(NOW.plus(HOUR * hours));
    }

    let rotated: Vec<_> = record.ancestors.iter().map(|ancestor| ancestor.rotated_at).collect();

    assert_eq!(rotated, [6, 5, 4, 3].map(|hours| NOW.plus(HOUR * hours)));
}

#[test]
fn rotation_leaves_the_repeats_alone() {
    let repeats = Repeats { streak: 2, last: 5 };
    assert_eq!(RotationRecord { repeats, ..begun() }.advanced(NOW).repeats, repeats);
}

#[test]
fn no_token_outlives_the_session() {
    let record = begun();
    assert_eq!(record.expiry_from(record.ends_at.minus(HOUR)), record.ends_at);
    assert_eq!(record.expiry_from(record.ends_at.plus(HOUR)), record.ends_at);
    assert_eq!(record.expiry_from(record.ends_at.minus(DAY + HOUR)), record.ends_at.minus(HOUR));
}

#[test]
fn the_parent_is_the_ancestor_one_number_back() {
    assert_eq!(begun().parent(), None);
    let record = RotationRecord { current: generation(3, 2), ..begun() };
    assert_eq!(record.parent(), None);
    assert_eq!(record.advanced(NOW).parent(), Some(generation(3, 2)));
}

#[test]
fn a_record_knows_when_each_of_its_last_ancestors_was_rotated() {
    let mut record = begun();
    for hours in 1..=6 {
        record = record.advanced(NOW.plus(HOUR * hours));
    }
    for (number, hours) in [(5, 6), (4, 5), (3, 4), (2, 3)] {
        assert_eq!(record.rotated_by(generation(number, 0)), Some(NOW.plus(HOUR * hours)));
        assert_eq!(record.rotated_by(generation(number, 1)), None);
    }
    for number in [0, 1, 6, 7, u64::MAX] {
        assert_eq!(record.rotated_by(generation(number, 0)), None, "{number}");
    }
}

#[test]
fn what_a_rebuilt_record_has_forgotten_was_rotated_before_what_it_knows() {
    let record = RotationRecord { current: generation(9, 0), ..begun() }.advanced(NOW).advanced(NOW.plus(HOUR));
    assert_eq!(record.ancestors.len(), 2);

    for (number, branch) in [(8, 0), (8, 3), (7, 1)] {
        assert_eq!(record.rotated_by(generation(number, branch)), Some(NOW));
    }
    assert_eq!(record.rotated_by(generation(6, 0)), None);
    assert_eq!(RotationRecord { current: generation(9, 0), ..begun() }.rotated_by(generation(8, 0)), None);
}

// --- texts -------------------------------------------------------------------------------------------------------------

/// A record with something in every position.
fn full() -> RotationRecord {
    let ancestor = |branch, seconds| Ancestor { branch, rotated_at: NOW.minus(Duration::from_secs(seconds)) };
    RotationRecord {
        current: generation(412, 3),
        repeats: Repeats { streak: 2, last: 411 },
        ancestors: vec![ancestor(0, 0), ancestor(7, 300), ancestor(0, 600), ancestor(1, 900)],
        ..begun()
    }
}

#[test]
fn a_record_is_a_head_line_of_numbers_and_a_line_of_json() {
    let text = full().encode();
    let (head, grant) = text.split_once('\n').unwrap();
    assert_eq!(head, "412 3 1800000000789 86400 1802592000 86400 2 411 0,300000:7,300000,300000:1");
    assert_eq!(
        grant,
        r#"{"c":"web","u":"AAAAAAAAAAAAAAAAAAAABw","s":"openid profile","a":["https://api.example.com"],"i":12,"n":1800000000789,"t":1800000000,"m":["pwd"],"g":["staff \"1\"\n"]}"#
    );
}

fn bound() -> RotationRecord {
    let confirmation = Some(Confirmation::DpopKey(crate::model::Thumbprint::of([0; 32])));
    RotationRecord { grant: SessionGrant { confirmation, ..grant() }, ..full() }
}

#[test]
fn the_key_that_tokens_are_bound_to_stands_in_the_record_and_costs_nothing_where_there_is_none() {
    let key = format!(r#","k":{{"jkt":"{}"}}}}"#, "A".repeat(43));
    assert!(bound().encode().ends_with(&key));
    assert_eq!(bound().encode().len(), full().encode().len() + key.len() - 1);
    assert!(bound().advanced(NOW).encode().ends_with(&key), "and stays there");
}

#[test]
fn a_record_comes_back_from_its_text() {
    for record in [begun(), full(), bound(), begun().advanced(NOW.plus(HOUR))] {
        assert_eq!(RotationRecord::decode(&record.encode()), Some(record));
    }
}

#[test]
fn a_text_that_is_no_record_is_refused() {
    let good = full().encode();
    let (head, grant) = good.split_once('\n').unwrap();
    let words: Vec<&str> = head.split(' ').collect();
    assert_eq!(words.len(), 9);
    assert!(RotationRecord::decode(&good).is_some());

    for broken in ["", "\n", TOMBSTONE, "0\n", head, grant, " \n{}", "garbage\ngarbage", &format!("{head}\n")] {
        assert_eq!(RotationRecord::decode(broken), None, "{broken:?}");
    }
    for broken_head in
        [format!("{head} 0"), format!("{head} "), format!(" {head}"), words[..8].join(" "), head.replace(' ', "  ")]
    {
        assert_eq!(RotationRecord::decode(&format!("{broken_head}\n{grant}")), None, "{broken_head:?}");
    }
    for position in 0..words.len() {
        for broken_word in ["x", "-", "1.5", "0x1", "99999999999999999999"] {
            let mut words = words.clone();
            words[position] = broken_word;
            let text = format!("{}\n{grant}", words.join(" "));
            assert_eq!(RotationRecord::decode(&text), None, "{text:?}");
        }
    }
    for broken_ancestors in [",", "0,", ",0", "0:", ":0", "0:1:2", "0:-1", "0:4294967296", "0;1"] {
        let text = format!("{} {broken_ancestors}\n{grant}", words[..8].join(" "));
        assert_eq!(RotationRecord::decode(&text), None, "{text:?}");
    }
    for broken_grant in [
        "{}",
        "null",
        "[]",
        &grant[..grant.len() - 1],
        &grant.replace("AAAABw", "AAAAB"),
        &grant.replace("AAAABw", "AAAA!w"),
        &grant.replace('}', r#","k":{"jkt":"AA"}}"#),
        &grant.replace('}', r#","k":{}}"#),
    ] {
        assert_eq!(RotationRecord::decode(&format!("{head}\n{broken_grant}")), None, "{broken_grant:?}");
    }
}

#[test]
fn a_record_without_ancestors_has_nothing_in_their_position() {
    let text = begun().encode();
    assert!(text.lines().next().unwrap().ends_with(" 0 0 "));
}

proptest! {
    #[test]
    fn every_record_comes_back_from_its_text(
        (number, branch, streak, last) in any::<(u64, u32, u32, u64)>(),
        (issued_at, expires_at, ends_at, lifetime) in (0..1_i64 << 44, 0..1_i64 << 34, 0..1_i64 << 34, any::<u64>()),
        ancestors in prop::collection::vec((any::<u32>(), 0..1_i64 << 44), 0..=MAX_ANCESTORS),
        words in prop::collection::vec(any::<String>(), 0..3),
    ) {
        let ancestor = |(branch, millis)| Ancestor { branch, rotated_at: Timestamp::from_millis(millis) };
        let record = RotationRecord {
            current: Generation { number, branch },
            issued_at: Timestamp::from_millis(issued_at),
            expires_at: Timestamp::from_seconds(expires_at),
            ends_at: Timestamp::from_seconds(ends_at),
            lifetime: Duration::from_secs(lifetime),
            repeats: Repeats { streak, last },
            ancestors: ancestors.into_iter().map(ancestor).collect(),
            grant: SessionGrant { roles: words.clone(), audience: words, ..grant() },
        };
        prop_assert_eq!(RotationRecord::decode(&record.encode()), Some(record));
    }

    #[test]
    fn no_text_makes_decoding_panic(text in any::<String>(), head in "[-0-9:, ]{0,60}") {
        let _ = RotationRecord::decode(&text);
        let good = full().encode();
        let (_, grant) = good.split_once('\n').unwrap();
        if let Some(record) = RotationRecord::decode(&format!("{head}\n{grant}")) {
            let _ = record.encode();
        }
    }
}
