//! The rules of rotation, one by one, and their limits.

use super::*;
use crate::model::{Acr, ClientId, SessionGrant, UserId};
use crate::protocol::Scope;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_500);
const WINDOW: Duration = Duration::from_secs(30);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const MILLISECOND: Duration = Duration::from_millis(1);

const USUAL: Rules = Rules { retry_window: WINDOW, lost_response_window: None, fixed: false };
const STRICT: Rules = Rules { retry_window: Duration::ZERO, lost_response_window: Some(Duration::ZERO), fixed: false };
const FIXED: Rules = Rules { fixed: true, ..USUAL };

pub(super) fn grant() -> SessionGrant {
    SessionGrant {
        client_id: ClientId::simplejwt(),
        user_id: UserId(uuid::Uuid::nil()),
        scope: Scope::empty(),
        audience: Vec::new(),
        status_index: 0,
        began_at: NOW,
        auth_time: NOW.seconds(),
        amr: Vec::new(),
        acr: Acr::Password,
        roles: Vec::new(),
        groups: Vec::new(),
        claims: Vec::new(),
        confirmation: None,
    }
}

const fn generation(number: u64, branch: u32) -> Generation {
    Generation { number, branch }
}

/// A record at generation 10, branch 2, that was rotated into it now; its ancestors, newest first, are 9 (branch 1),
/// 8 (branch 0), 7 (branch 5) and 6 (branch 0), an hour apart.
fn record() -> RotationRecord {
    let ancestor = |branch, hours| Ancestor { branch, rotated_at: NOW.minus(HOUR * hours) };
    RotationRecord {
        current: generation(10, 2),
        ancestors: vec![ancestor(1, 0), ancestor(0, 1), ancestor(5, 2), ancestor(0, 3)],
        ..RotationRecord::begin(grant(), NOW, DAY, NOW.plus(DAY * 30))
    }
}

/// A presented token that was issued ten seconds ago.
fn token(number: u64, branch: u32) -> PresentedRefresh {
    let issued_at = Timestamp::from_seconds(NOW.seconds() - 10);
    PresentedRefresh {
        generation: generation(number, branch),
        parent_branch: 0,
        issued_at,
        expires_at: issued_at.plus(DAY),
    }
}

fn stepped(decision: Decision) -> (RotationRecord, Why) {
    match decision {
        Decision::Step(record, why) => (*record, why),
        other => panic!("no step: {other:?}"),
    }
}

fn after(time: Duration) -> Timestamp {
    NOW.plus(time)
}

fn just_before(time: Timestamp) -> Timestamp {
    time.minus(MILLISECOND)
}

// --- the rules -------------------------------------------------------------------------------------------------------

#[test]
fn the_current_token_is_rotated() {
    let (next, why) = stepped(decide(&record(), token(10, 2), USUAL, after(HOUR)));

    assert_eq!((next.current, why), (generation(11, 0), Why::Rotated));
    assert_eq!(next, record().advanced(after(HOUR)));
}

#[test]
fn the_parent_within_its_retry_window_gets_the_current_token_again() {
    let (next, why) = stepped(decide(&record(), token(9, 1), USUAL, just_before(after(WINDOW))));

    assert_eq!(why, Why::Repeated { streak: 1 });
    assert_eq!(next, RotationRecord { repeats: Repeats { streak: 1, last: 10 }, ..record() });
    assert_eq!(decide(&next, token(9, 1), USUAL, just_before(after(WINDOW))), Decision::Keep);
}

#[test]
fn each_of_the_last_four_ancestors_has_a_retry_window_of_its_own() {
    for (number, branch, hours) in [(9, 1, 0), (8, 0, 1), (7, 5, 2), (6, 0, 3)] {
        let rotated_at = NOW.minus(HOUR * hours);
        let within = decide(&record(), token(number, branch), USUAL, just_before(rotated_at.plus(WINDOW)));
        assert_eq!(stepped(within).1, Why::Repeated { streak: 1 }, "{number}");
    }
    for (number, branch, hours) in [(8, 0, 1), (7, 5, 2), (6, 0, 3)] {
        let outside = NOW.minus(HOUR * hours).plus(WINDOW);
        assert_eq!(decide(&record(), token(number, branch), USUAL, outside), Decision::Reuse, "{number}");
    }
}

#[test]
fn the_parent_after_its_retry_window_gets_a_new_branch() {
    let later = after(HOUR * 5);

    let (next, why) = stepped(decide(&record(), token(9, 1), USUAL, later));

    assert_eq!((next.current, why), (generation(10, 3), Why::Reissued));
    assert_eq!((next.issued_at, next.expires_at), (later, Timestamp::from_seconds(later.plus(DAY).seconds())));
    assert_eq!(next.ancestors[0], Ancestor { branch: 1, rotated_at: later });
    assert_eq!(next.ancestors[1..], record().ancestors[1..]);
}

#[test]
fn a_parallel_retry_after_a_lost_answer_gets_the_reissued_token() {
    let (reissued, _) = stepped(decide(&record(), token(9, 1), USUAL, after(HOUR)));

    let (next, why) = stepped(decide(&reissued, token(9, 1), USUAL, just_before(after(HOUR + WINDOW))));

    assert_eq!((next.current, why), (generation(10, 3), Why::Repeated { streak: 1 }));
}

#[test]
fn a_token_that_was_reissued_is_dead() {
    for branch in [0, 1] {
        assert_eq!(decide(&record(), token(10, branch), USUAL, NOW), Decision::Reuse);
    }
}

#[test]
fn another_branch_of_an_ancestor_is_reuse() {
    for (number, branch) in [(9, 0), (9, 2), (8, 1), (7, 0), (6, 1)] {
        assert_eq!(decide(&record(), token(number, branch), USUAL, NOW.minus(HOUR * 4)), Decision::Reuse);
    }
}

#[test]
fn the_fifth_ancestor_is_reuse() {
    assert_eq!(decide(&record(), token(5, 0), USUAL, NOW.minus(HOUR * 9)), Decision::Reuse);
    assert_eq!(decide(&record(), token(0, 0), USUAL, NOW.minus(HOUR * 9)), Decision::Reuse);
}

#[test]
fn a_token_ahead_rolls_the_record_forward_and_is_rotated() {
    for (number, branch) in [(10, 3), (11, 0), (12, 7), (400, 0)] {
        let (next, why) = stepped(decide(&record(), token(number, branch), USUAL, after(HOUR)));

        assert_eq!((next.current, why), (generation(number + 1, 0), Why::RolledForward));
        assert_eq!(next.ancestors[0], Ancestor { branch, rotated_at: after(HOUR) });
        assert_eq!((next.issued_at, next.ends_at), (after(HOUR), record().ends_at));
    }
}

#[test]
fn a_lost_record_is_rebuilt_at_the_presented_token() {
    let lost = RotationRecord::begin(grant(), NOW, DAY, NOW.plus(DAY * 30));

    let rebuilt = brought_to(&lost, PresentedRefresh { parent_branch: 4, ..token(3, 1) });

    let rotated_at = Timestamp::from_millis(token(3, 1).issued_at.millis() + 999);
    let expected = RotationRecord {
        current: generation(3, 1),
        issued_at: token(3, 1).issued_at,
        expires_at: token(3, 1).expires_at,
        ancestors: vec![Ancestor { branch: 4, rotated_at }],
        ..lost
    };
    assert_eq!(rebuilt, expected);
}

#[test]
fn a_lost_record_is_rebuilt_at_the_first_token_without_ancestors() {
    let lost = RotationRecord::begin(grant(), NOW, DAY, NOW.plus(DAY * 30));
    assert_eq!(brought_to(&lost, token(0, 0)).ancestors, []);
}

#[test]
fn a_rebuilt_record_does_not_outlive_the_session() {
    let lost = RotationRecord::begin(grant(), NOW, DAY, NOW.plus(HOUR));
    assert_eq!(brought_to(&lost, token(3, 1)).expires_at, lost.ends_at);
}

// --- the windows -----------------------------------------------------------------------------------------------------

#[test]
fn a_retry_window_ends_when_the_age_reaches_it() {
    let decided = |now| stepped(decide(&record(), token(9, 1), USUAL, now)).1;

    assert_eq!(decided(just_before(after(WINDOW))), Why::Repeated { streak: 1 });
    assert_eq!(decided(after(WINDOW)), Why::Reissued);
}

#[test]
fn a_lost_response_window_ends_when_the_age_reaches_it() {
    let rules = Rules { lost_response_window: Some(HOUR), ..USUAL };

    assert_eq!(stepped(decide(&record(), token(9, 1), rules, just_before(after(HOUR)))).1, Why::Reissued);
    assert_eq!(decide(&record(), token(9, 1), rules, after(HOUR)), Decision::Reuse);
}

#[test]
fn without_a_lost_response_window_the_parent_is_honoured_as_long_as_the_session_lasts() {
    let decision = decide(&record(), token(9, 1), USUAL, after(DAY * 29));
    assert_eq!(stepped(decision).1, Why::Reissued);
}

#[test]
fn a_clock_that_is_behind_makes_no_token_old() {
    let decision = decide(&record(), token(9, 1), USUAL, NOW.minus(HOUR));
    assert_eq!(stepped(decision).1, Why::Repeated { streak: 1 });
}

#[test]
fn a_strict_client_is_forgiven_nothing() {
    for now in [NOW.minus(HOUR), NOW, after(MILLISECOND), after(HOUR)] {
        assert_eq!(decide(&record(), token(9, 1), STRICT, now), Decision::Reuse);
        assert_eq!(decide(&record(), token(8, 0), STRICT, now), Decision::Reuse);
        assert_eq!(stepped(decide(&record(), token(10, 2), STRICT, now)).1, Why::Rotated);
        assert_eq!(stepped(decide(&record(), token(11, 0), STRICT, now)).1, Why::RolledForward);
    }
}

// --- the end ---------------------------------------------------------------------------------------------------------

#[test]
fn at_the_absolute_end_every_token_is_over() {
    let ends_at = record().ends_at;
    for (number, branch) in [(10, 2), (9, 1), (11, 0), (3, 0)] {
        assert_eq!(decide(&record(), token(number, branch), USUAL, ends_at), Decision::Over);
        assert_eq!(decide(&record(), token(number, branch), USUAL, ends_at.plus(DAY)), Decision::Over);
        assert_ne!(decide(&record(), token(number, branch), USUAL, just_before(ends_at)), Decision::Over);
    }
}

#[test]
fn no_step_gives_a_token_that_outlives_the_session() {
    let late = record().ends_at.minus(HOUR);
    for (number, branch) in [(10, 2), (9, 1), (11, 0)] {
        let (next, _) = stepped(decide(&record(), token(number, branch), USUAL, late));
        assert_eq!((next.expires_at, next.ends_at), (record().ends_at, record().ends_at));
    }
}

#[test]
fn when_the_branches_are_used_up_the_session_ends() {
    let last = |branch| RotationRecord { current: generation(10, branch), ..record() };

    let (next, _) = stepped(decide(&last(u32::MAX - 1), token(9, 1), USUAL, after(HOUR)));
    assert_eq!(next.current, generation(10, u32::MAX));
    assert_eq!(decide(&last(u32::MAX), token(9, 1), USUAL, after(HOUR)), Decision::Reuse);
}

// --- fixed clients ---------------------------------------------------------------------------------------------------

#[test]
fn a_fixed_client_keeps_its_token() {
    assert_eq!(decide(&record(), token(10, 2), FIXED, after(DAY)), Decision::Keep);
}

#[test]
fn a_fixed_client_ahead_of_the_record_keeps_its_token_as_it_is() {
    let presented = PresentedRefresh { parent_branch: 2, ..token(11, 0) };

    let (next, why) = stepped(decide(&record(), presented, FIXED, after(HOUR)));

    assert_eq!((next.current, why), (generation(11, 0), Why::RolledForward));
    assert_eq!((next.issued_at, next.expires_at), (presented.issued_at, presented.expires_at));
}

#[test]
fn a_used_token_of_a_client_that_became_fixed_is_still_reuse() {
    assert_eq!(decide(&record(), token(8, 0), FIXED, NOW), Decision::Reuse);
}

// --- repeats ---------------------------------------------------------------------------------------------------------

#[test]
fn each_generation_counts_once() {
    let (noted, _) = stepped(decide(&record(), token(9, 1), USUAL, NOW));

    assert_eq!(decide(&noted, token(9, 1), USUAL, NOW), Decision::Keep);
    assert_eq!(decide(&noted, token(8, 0), USUAL, NOW.minus(HOUR)), Decision::Keep);
}

#[test]
fn a_row_of_repeats_goes_on_over_four_generations_and_not_over_five() {
    for (last, streak) in [(9, 8), (7, 8), (6, 8), (5, 1), (0, 1)] {
        let before = RotationRecord { repeats: Repeats { streak: 7, last }, ..record() };

        let (next, why) = stepped(decide(&before, token(9, 1), USUAL, NOW));

        assert_eq!((next.repeats, why), (Repeats { streak, last: 10 }, Why::Repeated { streak }), "after {last}");
    }
}

#[test]
fn a_row_of_repeats_does_not_overflow() {
    let before = RotationRecord { repeats: Repeats { streak: u32::MAX, last: 9 }, ..record() };
    assert_eq!(stepped(decide(&before, token(9, 1), USUAL, NOW)).1, Why::Repeated { streak: u32::MAX });
}

#[test]
fn rotation_reissue_and_rolling_forward_leave_the_count_alone() {
    let before = RotationRecord { repeats: Repeats { streak: 2, last: 9 }, ..record() };
    for (number, branch) in [(10, 2), (9, 1), (11, 0)] {
        assert_eq!(
            stepped(decide(&before, token(number, branch), USUAL, after(HOUR))).0.repeats,
            before.repeats,
            "{number}"
        );
    }
}

// --- what is known after a loss --------------------------------------------------------------------------------------

/// The ancestors after the record was moved to a token with this parent.
fn known_after(number: u64, branch: u32, parent_branch: u32) -> Vec<Ancestor> {
    let presented = PresentedRefresh { parent_branch, ..token(number, branch) };
    let known = brought_to(&record(), presented).ancestors;
    let rotated_at = Timestamp::from_millis(presented.issued_at.millis() + 999);
    assert_eq!(known[0], Ancestor { branch: parent_branch, rotated_at }, "the parent is known for certain");
    known[1..].to_vec()
}

#[test]
fn a_token_of_the_same_number_shares_the_ancestors_before_its_parent() {
    assert_eq!(known_after(10, 3, 1), record().ancestors[1..]);
}

#[test]
fn a_token_of_the_same_number_with_another_parent_shares_no_ancestors() {
    assert_eq!(known_after(10, 3, 0), []);
}

#[test]
fn the_child_of_the_current_token_shares_its_ancestors() {
    assert_eq!(known_after(11, 0, 2), record().ancestors[..3]);
}

#[test]
fn the_child_of_another_branch_shares_no_ancestors() {
    assert_eq!(known_after(11, 0, 3), []);
}

#[test]
fn a_token_farther_ahead_shares_no_ancestors() {
    assert_eq!(known_after(12, 0, 2), []);
    assert_eq!(known_after(12, 0, 1), []);
}

#[test]
fn an_ancestor_that_a_rebuilt_record_has_forgotten_was_rotated_before_those_it_knows() {
    let rebuilt = RotationRecord { ancestors: record().ancestors[..2].to_vec(), ..record() };
    let oldest = rebuilt.ancestors[1].rotated_at;
    for (number, branch) in [(7, 5), (7, 0), (6, 3)] {
        let decided = |now| decide(&rebuilt, token(number, branch), USUAL, now);
        assert_eq!(stepped(decided(just_before(oldest.plus(WINDOW)))).1, Why::Repeated { streak: 1 });
        assert_eq!(decided(oldest.plus(WINDOW)), Decision::Reuse);
    }
    assert_eq!(decide(&rebuilt, token(5, 0), USUAL, oldest), Decision::Reuse);
}

#[test]
fn the_first_token_of_a_session_has_nothing_behind_it() {
    let first = RotationRecord { current: generation(0, 1), ancestors: Vec::new(), ..record() };
    assert_eq!(decide(&first, token(0, 0), USUAL, NOW), Decision::Reuse);
}
