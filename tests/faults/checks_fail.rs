//! Each check finds what it is for, in histories that were made up.

use std::time::Duration;

use base64::Engine as _;
use serde_json::json;

use crate::checks::{
    Silence, Writes, acknowledged_lives, closed_on_doubt, one_live, revoked_stays_revoked,
    theft_seen_and_honesty_spared,
};
use crate::history::{Answer, Call, Event};

fn token(number: u64, branch: u64) -> String {
    signed(number, branch, "signature")
}

fn signed(number: u64, branch: u64, signature: &str) -> String {
    let claims = json!({ "sid": "s", "gen": number, "branch": branch }).to_string();
    format!("header.{}.{signature}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims))
}

fn event(call: Call, answer: Answer, asked: u64, answered: u64) -> Event {
    Event { call, answer, asked: Duration::from_millis(asked), answered: Duration::from_millis(answered) }
}

fn exchanged(from: (u64, u64), to: (u64, u64), asked: u64, answered: u64) -> Event {
    event(Call::Refresh(token(from.0, from.1)), Answer::Issued(token(to.0, to.1)), asked, answered)
}

fn end(answer: Answer, asked: u64, answered: u64) -> Event {
    event(Call::End("s".to_owned()), answer, asked, answered)
}

fn refused(asked: u64, answered: u64) -> Event {
    event(Call::Refresh(token(0, 0)), Answer::Refused, asked, answered)
}

#[test]
fn one_live_successor_finds_forks_and_the_dead_who_return() {
    let good = [
        exchanged((0, 0), (1, 0), 0, 1),
        exchanged((0, 0), (1, 0), 2, 3),
        exchanged((0, 0), (1, 1), 4, 5),
        exchanged((1, 1), (2, 0), 6, 7),
        exchanged((0, 0), (2, 0), 8, 9),
    ];
    assert!(one_live(&good, Writes::Kept).is_empty());

    let goes_back = [exchanged((1, 0), (2, 0), 0, 1), exchanged((0, 0), (1, 0), 2, 3)];
    let at_once = [exchanged((1, 0), (2, 0), 0, 3), exchanged((0, 0), (1, 0), 2, 4)];
    let from_the_dead = [exchanged((0, 0), (1, 1), 0, 1), exchanged((1, 0), (2, 0), 2, 3)];
    let two_of_one = [
        exchanged((0, 0), (1, 0), 0, 1),
        event(Call::Refresh(token(0, 0)), Answer::Issued(signed(1, 0, "another")), 0, 1),
    ];
    let nothing_new = [exchanged((1, 0), (1, 0), 0, 1)];

    assert_eq!(one_live(&goes_back, Writes::Kept).len(), 1);
    assert!(one_live(&at_once, Writes::Kept).is_empty(), "they overlap");
    assert_eq!(one_live(&from_the_dead, Writes::Kept).len(), 1);
    assert_eq!(one_live(&two_of_one, Writes::Kept).len(), 1);
    assert_eq!(one_live(&nothing_new, Writes::Lost).len(), 1);
    assert!(one_live(&goes_back, Writes::Lost).is_empty());
}

#[test]
fn revoked_stays_revoked_finds_what_comes_back() {
    let success = |asked| exchanged((0, 0), (1, 0), asked, asked + 1);
    let look = |asked| event(Call::Look(token(0, 0)), Answer::Good, asked, asked + 1);

    assert!(revoked_stays_revoked(&[end(Answer::Good, 10, 20), success(19), refused(30, 31)]).is_empty());
    assert!(revoked_stays_revoked(&[end(Answer::Away(Some(1)), 10, 20), success(30)]).is_empty());
    assert_eq!(revoked_stays_revoked(&[end(Answer::Good, 10, 20), success(20)]).len(), 1);
    assert_eq!(revoked_stays_revoked(&[end(Answer::Good, 10, 20), look(25)]).len(), 1);
    assert!(revoked_stays_revoked(&[end(Answer::Pending, 10, 20), success(25)]).is_empty());
    assert_eq!(revoked_stays_revoked(&[end(Answer::Pending, 10, 20), success(5_000)]).len(), 1);
}

#[test]
fn an_acknowledged_token_that_is_refused_or_never_served_is_found() {
    let away = event(Call::Refresh(token(0, 0)), Answer::Away(Some(1)), 0, 1);

    assert!(acknowledged_lives(&[away.clone(), exchanged((0, 0), (1, 0), 2, 3)]).is_empty());
    assert_eq!(acknowledged_lives(&[refused(0, 1), exchanged((0, 0), (1, 0), 2, 3)]).len(), 1);
    assert_eq!(acknowledged_lives(&[exchanged((0, 0), (1, 0), 2, 3), away]).len(), 1);
    assert_eq!(acknowledged_lives(&[refused(0, 5), end(Answer::Good, 10, 20)]).len(), 1);
    assert!(acknowledged_lives(&[end(Answer::Silent, 10, 20), refused(12, 15)]).is_empty());
}

#[test]
fn an_unseen_theft_and_a_false_alarm_are_found() {
    let theft = |answer| event(Call::Theft(token(0, 0)), answer, 0, 1);
    let reused = ["s".to_owned()];

    assert!(theft_seen_and_honesty_spared(&[theft(Answer::Refused)], &reused).is_empty());
    assert_eq!(theft_seen_and_honesty_spared(&[theft(Answer::Issued(token(9, 0)))], &[]).len(), 1);
    assert_eq!(theft_seen_and_honesty_spared(&[theft(Answer::Refused)], &[]).len(), 1);
    assert_eq!(
        theft_seen_and_honesty_spared(&[theft(Answer::Refused)], &[reused.clone(), reused.clone()].concat()).len(),
        1
    );
    assert_eq!(theft_seen_and_honesty_spared(&[], &reused).len(), 1);
    let goes_on = [theft(Answer::Refused), exchanged((5, 0), (6, 0), 2, 3)];
    assert_eq!(theft_seen_and_honesty_spared(&goes_on, &reused).len(), 1);
}

#[test]
fn an_answer_other_than_503_with_a_time_is_found() {
    let answers = |answer| closed_on_doubt(&[event(Call::SignIn, answer, 0, 1)], Silence::Never).len();

    assert_eq!(answers(Answer::Away(Some(1))), 0);
    assert_eq!(answers(Answer::Away(None)), 1);
    assert_eq!(answers(Answer::Strange(500, String::new())), 1);
    assert_eq!(answers(Answer::Silent), 1);
    assert!(closed_on_doubt(&[event(Call::SignIn, Answer::Silent, 0, 1)], Silence::Allowed).is_empty());
}
