use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::super::schedule::{Draft, Entry, Rules, next_key};
use crate::audit::AuditEvent::{self, KeyActivated, KeyPublished, KeyRemoved, KeyRetired};
use crate::clock::Timestamp;
use crate::config;
use crate::model::KeyState::{self, Active, Next, Removed, Retired};
use crate::model::SigningAlgorithm::{self, Es256, Ps256, Rs256};
use crate::model::SigningKeyRecord;
use crate::store::sql::keys::KeyChange;

const DAY: u64 = 86_400;
const RIPE: u64 = 5 * 60 + 60;
const LIFE: Duration = Duration::from_mins(5);
const START: Timestamp = Timestamp::from_seconds(1_000_000_000);

fn rules() -> Rules {
    let settings = config::Keys { id_token_algorithm: Es256, ..config::Keys::default() };
    Rules::new(&settings, LIFE)
}

fn at(seconds: u64) -> Timestamp {
    START.plus(Duration::from_secs(seconds))
}

fn key(kid: &str, state: KeyState, seconds: u64) -> SigningKeyRecord {
    SigningKeyRecord {
        kid: kid.to_owned(),
        algorithm: Es256,
        state,
        sealed: if state == Removed { Vec::new() } else { vec![1] },
        public_jwk: String::new(),
        published_at: if state == Next { at(seconds) } else { START },
        activated_at: (state > Next).then(|| if state == Active { at(seconds) } else { START }),
        retired_at: (state > Active).then(|| at(seconds)),
        removed_at: (state == Removed).then(|| at(seconds)),
    }
}

struct Result {
    states: BTreeMap<String, KeyState>,
    events: Vec<AuditEvent>,
    changes: Vec<KeyChange>,
    missing: usize,
}

/// Applies `step` to `list` at `seconds`, with the candidates `new1` and `new2`.
fn after(list: &[SigningKeyRecord], seconds: u64, step: impl FnOnce(&mut Draft<'_>)) -> Result {
    let rules = rules();
    let candidates = vec![key("new1", Next, 0), key("new2", Next, 0)];
    let mut draft = Draft::new(&rules, at(seconds), list, candidates);
    step(&mut draft);
    let states = draft.records().iter().map(|record| (record.kid.clone(), record.state)).collect();
    let missing = draft.missing().len();
    let (changes, events) = draft.finish();
    Result { states, events, changes, missing }
}

fn maintain(draft: &mut Draft<'_>) {
    draft.maintain();
}

fn states<const N: usize>(expected: [(&str, KeyState); N]) -> BTreeMap<String, KeyState> {
    expected.into_iter().map(|(kid, state)| (kid.to_owned(), state)).collect()
}

#[test]
fn an_empty_list_gets_a_key_to_sign_and_a_next_one() {
    let result = after(&[], 0, maintain);
    assert_eq!(result.states, states([("new1", Active), ("new2", Next)]));
    let (one, two) = (|| "new1".to_owned(), || "new2".to_owned());
    assert_eq!(result.events, [KeyPublished { kid: one() }, KeyActivated { kid: one() }, KeyPublished { kid: two() }]);
    assert!(result.changes.iter().all(|change| matches!(change, KeyChange::Insert(_))));
}

#[test]
fn without_new_keys_at_hand_the_list_says_how_many_it_wants() {
    let rules = rules();
    let mut draft = Draft::new(&rules, START, &[], Vec::new());
    draft.maintain();
    assert_eq!(draft.missing(), [Es256, Es256]);
    assert!(draft.finish().0.is_empty());
}

#[test]
fn a_list_that_has_what_it_needs_is_left_alone() {
    let list = [key("a", Active, 0), key("n", Next, 0), key("r", Retired, 0), key("x", Removed, 0)];
    let result = after(&list, DAY, maintain);
    assert_eq!((result.changes.len(), result.events.len(), result.missing), (0, 0, 0));
}

#[test]
fn rotation_waits_until_it_is_due_and_the_next_key_is_ripe() {
    let month = 30 * DAY;
    for (next_since, now, rotates) in [
        (0, month - 1, false),
        (0, month, true),
        (month - RIPE + 1, month, false),
        (month - RIPE, month, true),
        (month, month, false),
        (month, month + RIPE - 1, false),
        (month, month + RIPE, true),
    ] {
        let result = after(&[key("a", Active, 0), key("n", Next, next_since)], now, maintain);
        let expected = if rotates {
            states([("a", Retired), ("n", Active), ("new1", Next)])
        } else {
            states([("a", Active), ("n", Next)])
        };
        assert_eq!(result.states, expected, "next since {next_since}, now {now}");
    }
}

#[test]
fn a_rotation_says_in_the_audit_what_happened_in_its_order() {
    let result = after(&[key("a", Active, 0), key("n", Next, 0)], 30 * DAY, maintain);
    let kid = str::to_owned;
    let expected = [KeyRetired { kid: kid("a") }, KeyActivated { kid: kid("n") }, KeyPublished { kid: kid("new1") }];
    assert_eq!(result.events, expected);
}

#[test]
fn a_retired_key_leaves_after_24_hours_and_the_longest_life_of_what_it_signed() {
    let stays = DAY + LIFE.as_secs();
    for (now, state) in [(stays - 1, Retired), (stays, Removed)] {
        let list = [key("a", Active, 0), key("n", Next, 0), key("r", Retired, 0)];
        let result = after(&list, now, maintain);
        assert_eq!(result.states["r"], state, "{now}");
        for change in result.changes {
            let KeyChange::Update(record) = change else { panic!("{change:?}") };
            assert_eq!((record.sealed.len(), record.removed_at), (0, Some(at(now))));
        }
    }
}

#[test]
fn a_removed_key_that_signed_is_replaced_by_the_best_one_there_is() {
    let ripe = || key("ripe", Next, 0);
    let green = || key("green", Next, DAY);
    for (others, expected) in [
        (vec![], states([("a", Removed), ("new1", Active), ("new2", Next)])),
        (vec![ripe()], states([("a", Removed), ("ripe", Active), ("new1", Next)])),
        (vec![green()], states([("a", Removed), ("green", Active), ("new1", Next)])),
        (vec![ripe(), green()], states([("a", Removed), ("ripe", Active), ("green", Next)])),
    ] {
        let list = [vec![key("a", Active, 0)], others].concat();
        let result = after(&list, DAY, |draft| assert!(draft.remove("a")));
        assert_eq!(result.states, expected);
        assert_eq!(result.events[0], KeyRemoved { kid: "a".to_owned() });
    }
}

#[test]
fn any_key_but_a_removed_or_unknown_one_can_be_removed() {
    let list = [key("a", Active, 0), key("n", Next, 0), key("r", Retired, 0), key("x", Removed, 0)];
    for (kid, done) in [("n", true), ("r", true), ("a", true), ("x", false), ("other", false)] {
        let result = after(&list, DAY, |draft| assert_eq!(draft.remove(kid), done));
        assert_eq!(result.changes.is_empty(), !done, "{kid}");
        assert_eq!(result.states.values().filter(|state| **state == Active).count(), 1);
        assert_eq!(result.states.values().filter(|state| **state == Next).count(), 1);
        assert_eq!(result.states.get(kid).copied(), (kid != "other").then_some(Removed));
    }
}

#[test]
fn an_imported_key_signs_at_once_only_where_nothing_did() {
    let import = |draft: &mut Draft<'_>| {
        assert_eq!(draft.import(key("i", Next, 0)), Entry::New);
        draft.fill_all();
    };
    assert_eq!(after(&[], 0, import).states, states([("i", Active), ("new1", Next)]));
    let list = [key("a", Active, 0), key("n", Next, 0)];
    assert_eq!(after(&list, DAY, import).states, states([("a", Active), ("n", Next), ("i", Next)]));
}

#[test]
fn an_imported_key_goes_before_the_spare_one() {
    let list = [key("a", Active, 0), key("n", Next, 0), key("i", Next, DAY)];
    assert_eq!(next_key(&list, Es256).unwrap().kid, "i");
    let result = after(&list, DAY, |draft| {
        assert_eq!(draft.unripe(), Some((Es256, at(DAY + RIPE))));
        draft.rotate_all();
    });
    assert_eq!(result.states, states([("a", Retired), ("i", Active), ("n", Next)]));
}

#[test]
fn a_removed_key_is_never_imported_again_and_a_known_one_is_left_alone() {
    let list = [key("a", Active, 0), key("n", Next, 0), key("r", Retired, 0), key("x", Removed, 0)];
    for (kid, entry) in [("a", Entry::Known), ("n", Entry::Known), ("r", Entry::Known), ("x", Entry::Removed)] {
        let result = after(&list, DAY, |draft| assert_eq!(draft.import(key(kid, Next, 0)), entry));
        assert!(result.changes.is_empty(), "{kid}");
    }
}

#[test]
fn algorithms_that_are_not_configured_are_left_alone() {
    let other = SigningKeyRecord { algorithm: Rs256, ..key("other", Active, 0) };
    let list = [other, key("a", Active, 0), key("n", Next, 0)];
    let result = after(&list, 30 * DAY, maintain);
    assert_eq!(result.states["other"], Active);
    let result = after(&list, DAY, |draft| assert!(draft.remove("other")));
    assert_eq!(result.states, states([("other", Removed), ("a", Active), ("n", Next)]));
}

#[test]
fn an_rsa_key_signs_rs256_unless_only_ps256_is_asked_for() {
    let rsa = |id_token, access_token, additional: &[SigningAlgorithm]| {
        let settings = config::Keys {
            id_token_algorithm: id_token,
            access_token_algorithm: access_token,
            additional_algorithms: additional.to_vec(),
            ..config::Keys::default()
        };
        Rules::new(&settings, LIFE).rsa()
    };
    assert_eq!(rsa(Rs256, Es256, &[]), Rs256);
    assert_eq!(rsa(Rs256, Ps256, &[]), Rs256);
    assert_eq!(rsa(Es256, Es256, &[]), Rs256);
    assert_eq!(rsa(Es256, Ps256, &[]), Ps256);
    assert_eq!(rsa(Es256, Es256, &[Ps256]), Ps256);
}

#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    Maintain,
    Rotate,
    Remove(prop::sample::Index),
    Import,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => prop::sample::select(vec![1, RIPE, 3600, DAY, 31 * DAY]).prop_map(Step::Wait),
        3 => Just(Step::Maintain),
        1 => Just(Step::Rotate),
        1 => any::<prop::sample::Index>().prop_map(Step::Remove),
        1 => Just(Step::Import),
    ];
    prop::collection::vec(step, 1..60)
}

proptest! {
    /// After any sequence of steps, one key of each algorithm is active and another is next, states only go forward, a
    /// maintained list never lets an unripe key sign while another can, and no retired key is removed early.
    #[test]
    fn the_list_is_in_order_after_any_steps(steps in steps()) {
        let settings = config::Keys { rotate_every: config::Duration::days(30), ..config::Keys::default() };
        let rules = Rules::new(&settings, LIFE);
        let (mut now, mut made) = (START, 0);
        let mut list: Vec<SigningKeyRecord> = Vec::new();
        for step in [Step::Maintain].into_iter().chain(steps) {
            let mut fresh = |algorithm| {
                made += 1;
                SigningKeyRecord { algorithm, ..key(&format!("k{made}"), Next, 0) }
            };
            let candidates = [Es256, Es256, Rs256, Rs256].map(&mut fresh).to_vec();
            let imported = fresh(Es256);
            let mut draft = Draft::new(&rules, now, &list, candidates);
            match &step {
                Step::Wait(seconds) => now = now.plus(Duration::from_secs(*seconds)),
                Step::Maintain => draft.maintain(),
                Step::Rotate => draft.rotate_all(),
                Step::Remove(index) => _ = draft.remove(&list[index.index(list.len())].kid),
                Step::Import => _ = draft.import(imported),
            }
            prop_assert!(draft.missing().is_empty());
            let after = draft.records().to_vec();
            for algorithm in [Es256, Rs256] {
                let count = |state| after.iter().filter(|key| key.algorithm == algorithm && key.state == state).count();
                prop_assert_eq!(count(Active), 1);
                prop_assert!(count(Next) >= 1);
            }
            for old in &list {
                let new = after.iter().find(|key| key.kid == old.kid).unwrap();
                prop_assert!(new.state >= old.state);
                prop_assert_eq!(new.sealed.is_empty(), new.state == Removed);
                if old.state == Next && new.state == Active && matches!(step, Step::Maintain) {
                    prop_assert!(now.since(old.published_at).as_secs() >= RIPE);
                }
                if old.state == Retired && new.state == Removed && matches!(step, Step::Maintain) {
                    prop_assert!(now.since(old.retired_at.unwrap()) >= Duration::from_secs(DAY) + LIFE);
                }
            }
            list = after;
        }
    }
}
