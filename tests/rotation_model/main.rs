//! An executable model of refresh rotation: the real decision, in the real order of steps, against everything that may
//! happen to it.
//!
//! Random histories of one session are played by an honest client (which uses the newest token that it received,
//! presents it several times at once, and again when an answer was lost), a thief who copied a token, two instances
//! whose clocks differ, a network that loses and delays, processes that die between two steps, an ephemeral store that
//! comes back empty or from the past, and an administrator who ends the session. The checkers read the journal of what was
//! seen:
//!
//! - at most one token is live, nothing goes back, no end moves, and an ended session is never answered again;
//! - an honest client alone stays signed in, with the exceptions that `sessions/rotation.rs` states;
//! - a thief who goes on is found. From the moment at which both hold the same token, the first of the two to use it
//!   gets a new one, the second one counts as a lost answer, and the next time that the first comes back is reuse.
//!   After the ephemeral state went back in time, each of them may have to come once more. Unless one keeps within the
//!   retry window of the other every time: then it is reported from the third time on;
//! - for strict clients the second use of a token is reuse at once.
//!
//! `planted` shows that the checkers can fail, `stories` tells the histories that once failed. `TEST_LONG=1` plays
//! fifty times as many.

#![expect(unreachable_pub, clippy::unwrap_used, clippy::panic, reason = "a test program has no outside, and may fail")]

mod check;
mod planted;
mod play;
mod protocol;
mod request;
mod stories;
mod world;

use std::time::Duration;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use test_support::long;
use tokenhouse::sessions::Rules;

use check::{Journal, Patience, Verdict};
use play::{Action, Cast, history, play};
use protocol::Protocol;
use world::Setting;

const DEFAULT: Rules = Rules { retry_window: Duration::from_secs(30), lost_response_window: None, fixed: false };
const STRICT: Rules = Rules { retry_window: Duration::ZERO, lost_response_window: Some(Duration::ZERO), ..DEFAULT };
const FIXED: Rules = Rules { fixed: true, ..DEFAULT };

/// An honest client and a bad network.
const ALONE: Cast = Cast { thief: false, faults: false, ends: false, bad_network: true };

/// A strict client must not be asked twice, so the network is good.
const ALONE_AND_STRICT: Cast = Cast { bad_network: false, ..ALONE };

const PATIENCE: Patience = Patience { turns: 2, turns_after_a_fault: 3 };
const NO_PATIENCE: Patience = Patience { turns: 1, ..PATIENCE };

#[test]
fn an_honest_client_stays_signed_in_on_a_bad_network() {
    hold(DEFAULT, ALONE, check::the_honest_client_stays_signed_in);
}

#[test]
fn an_honest_client_stays_signed_in_when_records_are_lost_and_rolled_back() {
    hold(DEFAULT, Cast { faults: true, ..ALONE }, check::the_honest_client_stays_signed_in);
}

#[test]
fn an_honest_strict_client_stays_signed_in_when_records_are_lost_and_rolled_back() {
    hold(STRICT, Cast { faults: true, ..ALONE_AND_STRICT }, check::the_honest_client_stays_signed_in);
}

#[test]
fn an_honest_client_with_a_fixed_token_stays_signed_in() {
    hold(FIXED, Cast { faults: true, ..ALONE }, check::the_honest_client_stays_signed_in);
}

#[test]
fn a_thief_who_goes_on_is_found() {
    hold(DEFAULT, Cast { thief: true, ..ALONE }, |journal| check::the_thief_is_found(journal, PATIENCE));
}

#[test]
fn a_thief_who_goes_on_is_found_when_records_are_lost_and_rolled_back() {
    hold(DEFAULT, Cast { thief: true, faults: true, ..ALONE }, |journal| check::the_thief_is_found(journal, PATIENCE));
}

#[test]
fn a_thief_of_a_strict_client_is_found_at_once() {
    hold(STRICT, Cast { thief: true, ..ALONE_AND_STRICT }, |journal| check::the_thief_is_found(journal, NO_PATIENCE));
}

#[test]
fn an_ended_session_is_never_answered_again() {
    hold(DEFAULT, Cast { thief: true, faults: true, ends: true, bad_network: true }, |_| Ok(()));
}

/// The real protocol keeps its promises in every history that is tried.
fn hold(rules: Rules, cast: Cast, verdict: fn(&Journal) -> Verdict) {
    let search = Config { cases: cases(), max_shrink_iters: 50_000, rng_seed: seed(), ..Config::default() };
    if let Some((why, history)) = counterexample(&search, Protocol::REAL, rules, cast, verdict) {
        panic!("{why}\n{history:#?}");
    }
}

/// A history in which a promise is broken.
fn counterexample(
    search: &Config,
    protocol: Protocol,
    rules: Rules,
    cast: Cast,
    verdict: fn(&Journal) -> Verdict,
) -> Option<(String, (Setting, Vec<Action>))> {
    let search = Config { failure_persistence: None, ..search.clone() };
    let histories = (setting(rules), history(cast, 60));
    let played = TestRunner::new(search).run(&histories, |(setting, actions)| {
        let journal = play(protocol, setting, &actions);
        let always = check::always(&journal, protocol.decide, rules);
        always.and_then(|()| verdict(&journal)).map_err(TestCaseError::fail)
    });
    match played {
        Ok(()) => None,
        Err(TestError::Fail(why, history)) => Some((why.to_string(), history)),
        Err(TestError::Abort(why)) => panic!("{why}"),
    }
}

fn setting(rules: Rules) -> impl Strategy<Value = Setting> {
    (1..48_u64, 1..30_u64, 0..=300_u64).prop_map(move |(hours, days, skew)| {
        let absolute = Duration::from_hours(24 * days);
        let lifetime = if rules.fixed { absolute } else { Duration::from_hours(hours) };
        Setting { rules, lifetime, absolute, skew: Duration::from_secs(skew) }
    })
}

/// The quick run plays the same histories everywhere, so that a change is judged by itself; the long one looks for new.
fn seed() -> RngSeed {
    if long() { RngSeed::Random } else { RngSeed::Fixed(20_261_121) }
}

fn cases() -> u32 {
    1_000 * if long() { 50 } else { 1 }
}
