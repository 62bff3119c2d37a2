//! The invariants, each as a check of a recorded history. A check lists what breaks it; `checks_fail.rs` shows that
//! each can.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::history::{Answer, Call, Event, History, Mark};

/// Whether the ephemeral store may have lost writes that it had acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writes {
    Kept,
    /// A rotation that was lost may be repeated; its successor has the same position.
    Lost,
}

/// Whether instances may leave a call without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    Never,
    Allowed,
}

/// What the catalogue allows in this run.
#[derive(Debug, Clone, Copy)]
pub struct Allowed {
    pub writes: Writes,
    pub silence: Silence,
}

/// Nothing is lost and every client is answered.
pub const NOTHING: Allowed = Allowed { writes: Writes::Kept, silence: Silence::Never };

/// Instances refuse a session whose end is pending as soon as they have read the change feed: a second, and slack.
const FEED: Duration = Duration::from_secs(3);

/// How much of what is broken is shown.
const SHOWN: usize = 20;

/// Checks everything. `reused` are the sessions that the audit says were ended for reuse, one entry an event.
pub fn assert_all(history: &History, allowed: Allowed, reused: &[String]) {
    let events = history.events();
    let mut broken = one_live(&events, allowed.writes);
    broken.extend(revoked_stays_revoked(&events));
    broken.extend(acknowledged_lives(&events));
    broken.extend(theft_seen_and_honesty_spared(&events, reused));
    broken.extend(closed_on_doubt(&events, allowed.silence));
    let first = broken.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(broken.is_empty(), "{} times in {} events:\n{first}", broken.len(), events.len());
}

/// I1: at every moment at most one successor is live. Snapshot from outside: the live token of a session never goes
/// back, a position has one token, and a re-issue kills the one before.
pub fn one_live(events: &[Event], writes: Writes) -> Vec<String> {
    let mut broken = Vec::new();
    for (session, exchanges) in exchanges(events) {
        for (position, exchange) in exchanges.iter().enumerate() {
            if exchange.issued.position() <= exchange.presented.position() {
                broken.push(format!("I1: {session}: {:?} was exchanged for {:?}", exchange.presented, exchange.issued));
            }
            if writes == Writes::Lost {
                continue;
            }
            for other in &exchanges[position + 1..] {
                broken.extend(exchange.contradicts(other).or_else(|| other.contradicts(exchange)));
            }
        }
    }
    broken
}

/// A refresh token that was exchanged for another.
struct Exchange<'a> {
    event: &'a Event,
    presented: Mark,
    issued: Mark,
    token: &'a str,
}

impl Exchange<'_> {
    fn contradicts(&self, later: &Self) -> Option<String> {
        if self.issued.position() == later.issued.position() && self.token != later.token {
            return Some(format!("I1: two tokens for {:?}", self.issued));
        }
        if self.event.answered >= later.event.asked {
            return None;
        }
        if later.issued.position() < self.issued.position() {
            return Some(format!("I1: {:?} was live, and {:?} after it", self.issued, later.issued));
        }
        let is_dead = later.presented.number == self.issued.number && later.presented.branch < self.issued.branch;
        is_dead.then(|| format!("I1: {:?} was exchanged after {:?} took its position", later.presented, self.issued))
    }
}

fn exchanges(events: &[Event]) -> BTreeMap<String, Vec<Exchange<'_>>> {
    let mut sessions: BTreeMap<String, Vec<Exchange<'_>>> = BTreeMap::new();
    for event in events {
        if let (Call::Refresh(presented) | Call::Theft(presented), Answer::Issued(token)) = (&event.call, &event.answer)
        {
            let (presented, issued) = (Mark::of(presented), Mark::of(token));
            let session = issued.session.clone();
            sessions.entry(session).or_default().push(Exchange { event, presented, issued, token });
        }
    }
    sessions
}

/// I2: after an end was acknowledged, nothing of the session succeeds that was asked for later.
pub fn revoked_stays_revoked(events: &[Event]) -> Vec<String> {
    let mut ended: BTreeMap<String, Duration> = BTreeMap::new();
    for event in events {
        let from = match (&event.call, &event.answer) {
            (Call::End(_), Answer::Good) => event.answered,
            (Call::End(_), Answer::Pending) => event.answered + FEED,
            _ => continue,
        };
        let session = event.session().unwrap();
        ended.entry(session).and_modify(|known| *known = from.min(*known)).or_insert(from);
    }
    let is_broken = |event: &&Event| {
        event.is_success() && event.session().and_then(|id| ended.get(&id)).is_some_and(|from| event.asked >= *from)
    };
    events.iter().filter(is_broken).map(|event| format!("I2: a success after the end: {event}")).collect()
}

/// I3: a token that was acknowledged works, until its session is to end or a thief was seen; and the last word to an
/// honest client is a token.
pub fn acknowledged_lives(events: &[Event]) -> Vec<String> {
    let mut to_end: BTreeMap<String, Duration> = BTreeMap::new();
    for event in events.iter().filter(|event| matches!(event.call, Call::End(_) | Call::Theft(_))) {
        let session = event.session().unwrap();
        to_end.entry(session).and_modify(|known| *known = event.asked.min(*known)).or_insert(event.asked);
    }
    let mut broken = Vec::new();
    let mut last: BTreeMap<String, &Event> = BTreeMap::new();
    for event in events.iter().filter(|event| matches!(event.call, Call::Refresh(_) | Call::Look(_))) {
        let session = event.session().unwrap();
        if event.answer == Answer::Refused && to_end.get(&session).is_none_or(|from| event.answered < *from) {
            broken.push(format!("I3: signed out: {event}"));
        }
        last.insert(session, event);
    }
    let is_left = |(session, event): &(&String, &&Event)| !to_end.contains_key(*session) && !event.is_success();
    broken.extend(last.iter().filter(is_left).map(|(_, event)| format!("I3: never served again: {event}")));
    broken
}

/// I4: a replaced token that is shown ends its session, with one event in the audit; no other session is reported.
pub fn theft_seen_and_honesty_spared(events: &[Event], reused: &[String]) -> Vec<String> {
    let mut broken = Vec::new();
    let mut thefts: BTreeMap<String, Duration> = BTreeMap::new();
    for event in events.iter().filter(|event| matches!(event.call, Call::Theft(_))) {
        match event.answer {
            Answer::Refused => drop(thefts.entry(event.session().unwrap()).or_insert(event.answered)),
            Answer::Away(_) | Answer::Silent => {}
            _ => broken.push(format!("I4: a theft was not seen: {event}")),
        }
    }
    for event in events.iter().filter(|event| event.is_success()) {
        let session = event.session().unwrap();
        if thefts.get(&session).is_some_and(|seen| event.asked >= *seen) {
            broken.push(format!("I4: a success after the theft was seen: {event}"));
        }
    }
    for session in thefts.keys() {
        let count = reused.iter().filter(|other| *other == session).count();
        if count != 1 {
            broken.push(format!("I4: {count} events about the theft in {session}"));
        }
    }
    let accused: BTreeSet<&String> = reused.iter().filter(|session| !thefts.contains_key(*session)).collect();
    broken.extend(accused.iter().map(|session| format!("I4: a false alarm in {session}")));
    broken
}

/// I6: a store that cannot answer is 503 with `Retry-After`, and nothing else. (That nothing was consumed is I3: what
/// was answered 503 is asked again with the same token.)
pub fn closed_on_doubt(events: &[Event], silence: Silence) -> Vec<String> {
    let is_wrong = |event: &&Event| match &event.answer {
        Answer::Strange(..) | Answer::Away(None) => true,
        Answer::Silent => silence == Silence::Never,
        Answer::Issued(_) | Answer::Good | Answer::Pending | Answer::Refused | Answer::Away(Some(_)) => false,
    };
    events.iter().filter(is_wrong).map(|event| format!("I6: not an answer for a fault of ours: {event}")).collect()
}
