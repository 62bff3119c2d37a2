//! Histories that once went wrong, as short as they can be told.

use std::time::Duration;

use crate::check::{self, Event, Journal, Party};
use crate::play::Action::{Refresh, Resume, Steal, Suffer, Wait};
use crate::play::{ALL, Action, Copy, play};
use crate::protocol::Protocol;
use crate::world::{Fault, Setting};
use crate::{DEFAULT, PATIENCE};

#[test]
fn a_late_duplicate_of_a_token_that_a_rebuilt_record_has_forgotten_is_forgiven() {
    stays_signed_in(&[
        once_with_a_late_duplicate(),
        once(Party::Honest),
        Suffer(Fault::Emptied),
        once(Party::Honest),
        Resume(0, ALL),
        once(Party::Honest),
    ]);
}

#[test]
fn a_rebuilt_record_does_not_cut_the_parents_window_short_by_a_part_of_a_second() {
    stays_signed_in(&[
        Wait(Duration::from_millis(800)),
        once_with_a_late_duplicate(),
        Suffer(Fault::Emptied),
        once(Party::Honest),
        Wait(Duration::from_millis(29_500)),
        Resume(0, ALL),
        once(Party::Honest),
    ]);
}

#[test]
fn a_record_from_before_a_reissue_is_not_believed_about_the_time_of_it() {
    stays_signed_in(&[
        Refresh(Party::Honest, vec![Copy::LOST]),
        Wait(Duration::from_secs(40)),
        once_with_a_late_duplicate(),
        once(Party::Honest),
        Suffer(Fault::RolledBack { writes: 2, slower: Duration::ZERO }),
        once(Party::Honest),
        Resume(0, ALL),
        once(Party::Honest),
    ]);
}

#[test]
fn a_thief_who_hides_repeats_behind_a_second_rotation_is_reported() {
    let round = || [once(Party::Thief), once(Party::Thief), once(Party::Honest), Wait(Duration::from_hours(1))];
    let history: Vec<Action> = [Steal].into_iter().chain((0..3).flat_map(|_| round())).collect();

    let journal = told(Protocol::REAL, &history);

    check::the_thief_is_found(&journal, PATIENCE).unwrap();
    assert!(journal.has(|event| matches!(event, Event::Reported)));
}

fn once(party: Party) -> Action {
    Refresh(party, vec![Copy::PLAIN])
}

/// The honest client sends its token twice, and one of the two stays under way.
fn once_with_a_late_duplicate() -> Action {
    Refresh(Party::Honest, vec![Copy::PLAIN, Copy { steps: 0, ..Copy::PLAIN }])
}

fn stays_signed_in(history: &[Action]) {
    let journal = told(Protocol::REAL, history);
    check::the_honest_client_stays_signed_in(&journal).unwrap();
    let received = journal.count(|event| matches!(event, Event::Received { .. }));
    let sent = history.iter().filter(|action| matches!(action, Refresh(_, copies) if !copies[0].lost)).count();
    assert_eq!(received, sent, "every refresh was answered");
}

/// A history of a client with the default settings.
pub fn told(protocol: Protocol, history: &[Action]) -> Journal {
    let setting = Setting {
        rules: DEFAULT,
        lifetime: Duration::from_hours(24),
        absolute: Duration::from_hours(240),
        skew: Duration::ZERO,
    };
    play(protocol, setting, history)
}
