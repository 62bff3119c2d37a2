//! Faults planted in the protocol, each of which the checkers must find.

use proptest::test_runner::Config;
use tokenhouse::clock::Timestamp;
use tokenhouse::model::RotationRecord;
use tokenhouse::model::rotation::MAX_ANCESTORS;
use tokenhouse::sessions::Rules;
use tokenhouse::sessions::rotation::{Decision, PresentedRefresh, Why, decide};

use crate::check::{self, Journal, Party, Verdict};
use crate::play::Action::{Acknowledge, End, Refresh, Resume, Suffer};
use crate::play::{Cast, Copy};
use crate::protocol::{Protocol, Rule, Slip};
use crate::stories::told;
use crate::world::Fault;
use crate::{ALONE, ALONE_AND_STRICT, DEFAULT, NO_PATIENCE, PATIENCE, STRICT, counterexample};

const THIEF: Cast = Cast { thief: true, ..ALONE };
const FAULTS: Cast = Cast { faults: true, ..ALONE };
const ENDS: Cast = Cast { ends: true, ..FAULTS };

#[test]
fn a_parent_that_is_honoured_for_ever_is_found() {
    assert_found(THIEF, thief, |record, presented, rules, now| match decide(record, presented, rules, now) {
        Decision::Reuse | Decision::Step(_, Why::Reissued) if record.parent() == Some(presented.generation) => {
            Decision::Keep
        }
        other => other,
    });
}

#[test]
fn reuse_that_is_not_noticed_is_found() {
    assert_found(THIEF, thief, |record, presented, rules, now| match decide(record, presented, rules, now) {
        Decision::Reuse => Decision::Keep,
        other => other,
    });
}

#[test]
fn reuse_that_strict_clients_are_forgiven_is_found() {
    let rule: Rule = |record, presented, _, now| decide(record, presented, DEFAULT, now);
    let cast = Cast { thief: true, ..ALONE_AND_STRICT };
    assert_broken(Protocol::with_rule(rule), STRICT, cast, |journal| check::the_thief_is_found(journal, NO_PATIENCE));
}

#[test]
fn a_reissue_that_leaves_the_lost_token_alive_is_found() {
    assert_found(ALONE, nothing_more, |record, presented, rules, now| {
        let same_number = presented.generation.number == record.current.number;
        if same_number && presented.generation < record.current && now < record.ends_at {
            return Decision::Step(Box::new(record.advanced(now)), Why::Rotated);
        }
        decide(record, presented, rules, now)
    });
}

#[test]
fn a_reissue_under_the_same_name_is_found() {
    assert_found(ALONE, nothing_more, |record, presented, rules, now| match decide(record, presented, rules, now) {
        Decision::Step(mut reissued, Why::Reissued) => {
            reissued.current = record.current;
            Decision::Step(reissued, Why::Reissued)
        }
        other => other,
    });
}

#[test]
fn a_missing_retry_window_is_found() {
    assert_found(ALONE, honest, |record, presented, rules, now| {
        decide(record, presented, Rules { retry_window: STRICT.retry_window, ..rules }, now)
    });
}

#[test]
fn a_lost_answer_that_is_not_issued_again_is_found() {
    assert_found(ALONE, honest, |record, presented, rules, now| {
        decide(record, presented, Rules { lost_response_window: STRICT.lost_response_window, ..rules }, now)
    });
}

#[test]
fn a_token_ahead_of_the_record_that_counts_as_reuse_is_found() {
    assert_found(FAULTS, honest, |record, presented, rules, now| {
        if presented.generation > record.current { Decision::Reuse } else { decide(record, presented, rules, now) }
    });
}

#[test]
fn a_rebuilt_record_that_forgives_no_forgotten_ancestor_is_found() {
    assert_found(FAULTS, honest, |record, presented, rules, now| {
        let known = usize::try_from(record.current.number).unwrap().min(MAX_ANCESTORS);
        let back = record.current.number.saturating_sub(presented.generation.number);
        let is_forgotten = record.ancestors.len() < known && back > record.ancestors.len() as u64;
        if is_forgotten { Decision::Reuse } else { decide(record, presented, rules, now) }
    });
}

#[test]
fn a_repeat_that_is_counted_for_the_parent_only_is_found() {
    assert_found(THIEF, thief, |record, presented, rules, now| match decide(record, presented, rules, now) {
        Decision::Step(_, Why::Repeated { .. }) if record.parent() != Some(presented.generation) => Decision::Keep,
        other => other,
    });
}

#[test]
fn an_absolute_end_that_moves_is_found() {
    assert_found(ALONE, nothing_more, |record, presented, rules, now| {
        let ends_at = now.plus(record.lifetime);
        decide(&RotationRecord { ends_at, ..record.clone() }, presented, rules, now)
    });
}

#[test]
fn a_lost_record_that_counts_as_an_end_is_found() {
    assert_slip_found(FAULTS, honest, Slip::NoRebuild);
}

#[test]
fn a_record_that_is_rebuilt_over_a_tombstone_is_found() {
    let under_way = Copy { steps: 2, ..Copy::PLAIN };
    let history = [
        Suffer(Fault::Emptied),
        Refresh(Party::Honest, vec![under_way]), // it has read in the database that the session is live
        End,
        Acknowledge(0),
        Resume(0, 1),
        Refresh(Party::Honest, vec![Copy { instance: 1, ..Copy::PLAIN }]),
    ];

    let verdict = |protocol| check::always(&told(protocol, &history), decide, DEFAULT);

    assert_eq!(verdict(Protocol::REAL), Ok(()));
    assert!(verdict(Protocol::with_slip(Slip::RebuildOverTombstone)).is_err());
}

#[test]
fn an_instance_that_does_not_remember_ends_is_found() {
    assert_slip_found(ENDS, nothing_more, Slip::NoMemory);
}

fn honest(journal: &Journal) -> Verdict {
    check::the_honest_client_stays_signed_in(journal)
}

fn thief(journal: &Journal) -> Verdict {
    check::the_thief_is_found(journal, PATIENCE)
}

#[expect(clippy::unnecessary_wraps, reason = "what must always be true is checked in any case")]
fn nothing_more(_: &Journal) -> Verdict {
    Ok(())
}

fn assert_found(
    cast: Cast,
    verdict: fn(&Journal) -> Verdict,
    rule: fn(&RotationRecord, PresentedRefresh, Rules, Timestamp) -> Decision,
) {
    assert_broken(Protocol::with_rule(rule), DEFAULT, cast, verdict);
}

fn assert_slip_found(cast: Cast, verdict: fn(&Journal) -> Verdict, slip: Slip) {
    assert_broken(Protocol::with_slip(slip), DEFAULT, cast, verdict);
}

/// Some histories that break a promise are rare; the search ends with the first.
fn assert_broken(protocol: Protocol, rules: Rules, cast: Cast, verdict: fn(&Journal) -> Verdict) {
    let search = Config { cases: 100_000, max_shrink_iters: 0, ..Config::default() };
    assert!(counterexample(&search, protocol, rules, cast, verdict).is_some());
}
