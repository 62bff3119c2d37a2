//! Properties that hold for every record, token and time.

use proptest::prelude::*;

use super::tests::grant;
use super::*;

const NOW: i64 = 1_800_000_000_000;
const DAY: i64 = 86_400_000;

proptest! {
    #[test]
    fn a_step_never_lowers_the_generation_and_never_moves_the_end((record, token, rules, now) in cases()) {
        if let Decision::Step(next, why) = decide(&record, token, rules, now) {
            prop_assert!(next.current >= record.current);
            let stays = matches!(why, Why::Repeated { .. });
            prop_assert_eq!(next.current == record.current, stays);
            prop_assert_eq!(next.ends_at, record.ends_at);
            prop_assert!(next.expires_at <= record.ends_at);
            prop_assert!(next.ancestors.len() <= MAX_ANCESTORS);
            prop_assert_eq!(&next.grant, &record.grant);
        }
    }

    #[test]
    fn after_a_step_one_token_is_live_and_it_is_the_current_one(
        (record, token, rules, now) in cases(), other in any_token(), later in 0..DAY,
    ) {
        if let Decision::Step(next, _) = decide(&record, token, rules, now) {
            let later = Timestamp::from_millis(now.millis() + later);
            let decision = decide(&next, other, Rules { fixed: false, ..rules }, later);
            let is_rotated = matches!(decision, Decision::Step(_, Why::Rotated));
            prop_assert_eq!(is_rotated, other.generation == next.current && later < next.ends_at);
        }
    }

    #[test]
    fn the_current_token_and_those_ahead_are_never_reuse((record, token, rules, now) in cases()) {
        if token.generation >= record.current {
            prop_assert_ne!(decide(&record, token, rules, now), Decision::Reuse);
        }
    }

    #[test]
    fn what_lies_behind_and_is_unknown_is_reuse((record, token, rules, now) in cases()) {
        if token.generation < record.current && record.rotated_by(token.generation).is_none() && now < record.ends_at {
            prop_assert_eq!(decide(&record, token, rules, now), Decision::Reuse);
        }
    }

    #[test]
    fn after_the_end_nothing_is_decided_but_that((record, token, rules, now) in cases()) {
        let decision = decide(&record, token, rules, now);
        prop_assert_eq!(decision == Decision::Over, now >= record.ends_at);
    }

    #[test]
    fn parallel_presentations_of_a_token_all_lead_to_the_same_token(
        (record, token, rules, now) in cases(),
        delays in prop::collection::vec(0..30_000_i64, 1..8),
    ) {
        let rules = Rules { retry_window: Duration::from_secs(30), ..rules };
        let Decision::Step(first, Why::Rotated | Why::Reissued | Why::RolledForward) = decide(&record, token, rules, now)
        else {
            return Ok(());
        };
        let mut stands = *first.clone();
        for delay in delays {
            let later = Timestamp::from_millis(now.millis() + delay);
            prop_assume!(later < record.ends_at);
            match decide(&stands, token, rules, later) {
                Decision::Step(next, Why::Repeated { .. }) => stands = *next,
                other => prop_assert_eq!(other, Decision::Keep),
            }
            prop_assert_eq!(stands.current, first.current);
            prop_assert_eq!((stands.issued_at, stands.expires_at), (first.issued_at, first.expires_at));
            prop_assert_eq!(stands.ancestors.first(), first.ancestors.first());
        }
    }

    #[test]
    fn a_rebuilt_record_rotates_the_token_that_it_was_rebuilt_at((record, token, rules, now) in cases()) {
        let rebuilt = brought_to(&record, token);
        prop_assert_eq!(rebuilt.current, token.generation);
        match decide(&rebuilt, token, rules, now) {
            Decision::Over => prop_assert!(now >= record.ends_at),
            Decision::Keep => prop_assert!(rules.fixed),
            other => prop_assert_eq!(other, Decision::Step(Box::new(rebuilt.advanced(now)), Why::Rotated)),
        }
    }
}

fn cases() -> impl Strategy<Value = (RotationRecord, PresentedRefresh, Rules, Timestamp)> {
    (any_record(), any_token(), any_rules(), (-DAY..3 * DAY).prop_map(|ago| Timestamp::from_millis(NOW + ago)))
}

/// Few numbers and branches, so that tokens and records often match.
fn any_generation() -> impl Strategy<Value = Generation> {
    (0..8_u64, 0..3_u32).prop_map(|(number, branch)| Generation { number, branch })
}

fn any_token() -> impl Strategy<Value = PresentedRefresh> {
    (any_generation(), 0..3_u32, 0..DAY).prop_map(|(generation, parent_branch, ago)| {
        let issued_at = Timestamp::from_seconds((NOW - ago).div_euclid(1000));
        PresentedRefresh {
            generation,
            parent_branch,
            issued_at,
            expires_at: Timestamp::from_millis(issued_at.millis() + DAY),
        }
    })
}

fn any_rules() -> impl Strategy<Value = Rules> {
    let retry_window = prop_oneof![Just(0_u64), Just(30), 0..60_u64].prop_map(Duration::from_secs);
    let lost_response_window = prop::option::of((0..100_000_u64).prop_map(Duration::from_secs));
    (retry_window, lost_response_window, prop::bool::weighted(0.1))
        .prop_map(|(retry_window, lost_response_window, fixed)| Rules { retry_window, lost_response_window, fixed })
}

/// A record as rotation produces it: each ancestor was rotated before the next one, and some may be missing.
fn any_record() -> impl Strategy<Value = RotationRecord> {
    let ancestors = prop::collection::vec((0..3_u32, prop_oneof![0..40_000_i64, 0..DAY]), 0..=MAX_ANCESTORS);
    (any_generation(), ancestors, 0..2 * DAY, (0..5_u32, 0..8_u64)).prop_map(
        |(current, ancestors, left, (streak, last))| {
            let mut rotated_at = NOW;
            let known = usize::try_from(current.number).unwrap();
            let ancestors = ancestors.into_iter().take(known).map(|(branch, before)| {
                rotated_at -= before;
                Ancestor { branch, rotated_at: Timestamp::from_millis(rotated_at) }
            });
            RotationRecord {
                current,
                repeats: Repeats { streak, last: last.min(current.number) },
                ancestors: ancestors.collect(),
                ..RotationRecord::begin(
                    grant(),
                    Timestamp::from_millis(NOW),
                    Duration::from_hours(24),
                    Timestamp::from_millis(NOW + left),
                )
            }
        },
    )
}
