//! Decides what a presented refresh token means: a pure function of the rotation record, the token, the client's rules
//! and the ephemeral store's time.
//!
//! A refresh token is a JWT (HS256, `typ: rt+jwt`) under a key derived from the master key; only this issuer reads it.
//! It carries `sid`, `gen`, `branch` and the branch of its parent. The session's record holds the current generation
//! and branch, and the last four ancestors ([`MAX_ANCESTORS`]), each with the time of its exchange.
//!
//! # The rules
//!
//! The first rule that matches applies.
//!
//! 1. **Bad signature, type, issuer or audience; expired (by the instance's clock, with 60 s of leeway); another
//!    client's token; a session known to have ended**: `invalid_grant`. No record is read or changed.
//! 2. **Any token at or after the session's absolute end**: `invalid_grant`.
//! 3. **The current token**: rotate to generation + 1, branch 0. A client with `fixed` tokens gets the same token
//!    again.
//! 4. **A token ahead of the record**, by generation, then by branch: the ephemeral store lost writes, and the
//!    signature proves that the token was issued. The record is rolled forward to the token and then rotated. An audit
//!    event says so.
//! 5. **One of the last four ancestors, exchanged less than the retry window (30 s) ago**: the current token again, and
//!    a fresh access token. The first repeat of each generation is counted in the record.
//! 6. **The parent, later than that, within the lost-response window** (as long as the parent itself is valid, unless
//!    set): the answer was lost. The current generation is issued again as branch + 1, which counts as the parent's
//!    exchange from then on. The token that was never received is dead.
//! 7. **Anything else**: reuse. The session ends, an audit event is written, the answer is `invalid_grant`.
//! 8. **No record, and the session is live in the database**: the record is rebuilt at the presented token, the
//!    database is read a second time, and the rules are applied again.
//! 9. **No record, and the session has ended, has expired or is unknown**: `invalid_grant`.
//!
//! This module applies rules 2 to 7. `tokens/refresh.rs`, `grants/refresh_token.rs` and `sessions/refresh.rs` apply the
//! others. The ephemeral store's `advance` operation also knows rule 3 and settles it in one round trip. Every other
//! change is settled by compare-and-set, in at most 16 rounds. Both windows can be set for the deployment and for each
//! client; both 0 means strict single use.
//!
//! # What a thief can do
//!
//! A thief and an honest client that both go on refreshing are detected at the latest when the second of them comes
//! back, with one exception: a thief that stays within the retry window of the honest client at every generation. The
//! record therefore counts consecutive generations that were repeated. From the third on, each writes an audit event
//! `refresh_repeated`, and a client with `on_repeated: end_session` ends the session. Within the retry window an older
//! ancestor also gets the current token, because an honest client with three tabs is more common than a thief that
//! fast.
//!
//! # What the model shows
//!
//! `tests/rotation_model` plays these rules against thieves, lost answers, lost records and clocks that differ. An
//! honest client on its own never loses its session, with these exceptions, in which it cannot be told from a thief:
//!
//! - A request with a token that the client no longer holds arrives after the retry window, or after more than
//!   [`MAX_ANCESTORS`] rotations: a duplicate that was under way for so long. The window begins when the rotation is
//!   decided. While the ephemeral store fails over to a machine whose clock differs, the window is shorter or longer by
//!   that difference.
//! - The answer with a re-issued token was lost, then the record, and after the client obtained a token from the
//!   rebuilt record, the lost answer arrived. Generations cannot say which of two histories is the later one, and time
//!   is not used for it.

use std::cmp::Ordering;
use std::iter;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::model::rotation::{Ancestor, Generation, MAX_ANCESTORS, Repeats, RotationRecord};

/// A token carries the time of its parent's rotation in whole seconds. The end of that second counts, so that the
/// parent's window is not cut short.
const LAST_MILLISECOND: Duration = Duration::from_millis(999);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Within this time, a used token is answered with its successor again.
    pub retry_window: Duration,
    /// Within this time, a lost answer is issued again; `None`: as long as the presented token is valid.
    pub lost_response_window: Option<Duration>,
    pub fixed: bool,
}

/// A refresh token whose signature, type, issuer, expiry and client are verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PresentedRefresh {
    pub generation: Generation,
    /// The branch of the generation before it.
    pub parent_branch: u32,
    /// The time of issue in whole seconds, which is also the time of its parent's rotation.
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Mint the record's current token.
    Keep,
    /// Replace the record, then mint its current token.
    Step(Box<RotationRecord>, Why),
    Reuse,
    Over,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    Rotated,
    Repeated {
        /// The number of consecutive repeated generations, as [`Repeats`] counts them.
        streak: u32,
    },
    /// The parent was presented: the answer with the current token was lost.
    Reissued,
    /// The token is ahead of the record: the ephemeral store lost writes, and the signature proves that the token was
    /// issued.
    RolledForward,
}

/// Applies the rules of the module to a token that has passed rule 1.
#[must_use]
pub fn decide(record: &RotationRecord, presented: PresentedRefresh, rules: Rules, now: Timestamp) -> Decision {
    if now >= record.ends_at {
        return Decision::Over;
    }
    match presented.generation.cmp(&record.current) {
        Ordering::Equal => current(record, rules, now),
        Ordering::Greater => ahead(record, presented, rules, now),
        Ordering::Less => behind(record, presented.generation, rules, now),
    }
}

fn current(record: &RotationRecord, rules: Rules, now: Timestamp) -> Decision {
    if rules.fixed {
        return Decision::Keep;
    }
    Decision::Step(Box::new(record.advanced(now)), Why::Rotated)
}

fn ahead(record: &RotationRecord, presented: PresentedRefresh, rules: Rules, now: Timestamp) -> Decision {
    let caught_up = brought_to(record, presented);
    let next = if rules.fixed { caught_up } else { caught_up.advanced(now) };
    Decision::Step(Box::new(next), Why::RolledForward)
}

fn behind(record: &RotationRecord, generation: Generation, rules: Rules, now: Timestamp) -> Decision {
    let Some(rotated_at) = record.rotated_by(generation) else { return Decision::Reuse };
    let age = now.since(rotated_at);
    if age < rules.retry_window {
        return repeat(record);
    }
    let is_parent = record.parent() == Some(generation);
    let answer_may_be_lost = rules.lost_response_window.is_none_or(|window| age < window);
    if is_parent && answer_may_be_lost {
        return reissue(record, now);
    }
    Decision::Reuse
}

/// Counts the first repeat of a generation in the record; later repeats find it counted.
fn repeat(record: &RotationRecord) -> Decision {
    let (Repeats { streak, last }, this) = (record.repeats, record.current.number);
    if last == this {
        return Decision::Keep;
    }
    let in_a_row = this.saturating_sub(last) <= MAX_ANCESTORS as u64;
    let streak = if in_a_row { streak.saturating_add(1) } else { 1 };
    let noted = RotationRecord { repeats: Repeats { streak, last: this }, ..record.clone() };
    Decision::Step(Box::new(noted), Why::Repeated { streak })
}

/// Replaces the current token, which was never received, by the next branch. This counts as the parent's rotation.
fn reissue(record: &RotationRecord, now: Timestamp) -> Decision {
    let mut reissued = record.clone();
    let Some(branch) = record.current.branch.checked_add(1) else { return Decision::Reuse };
    reissued.current.branch = branch;
    reissued.issued_at = now;
    reissued.expires_at = record.expiry_from(now);
    if let Some(parent) = reissued.ancestors.first_mut() {
        parent.rotated_at = now;
    }
    Decision::Step(Box::new(reissued), Why::Reissued)
}

/// Returns the record as it stood when `presented` was the current token.
#[must_use]
pub fn brought_to(record: &RotationRecord, presented: PresentedRefresh) -> RotationRecord {
    RotationRecord {
        current: presented.generation,
        issued_at: presented.issued_at,
        expires_at: presented.expires_at.min(record.ends_at),
        ancestors: known_ancestors(record, presented),
        ..record.clone()
    }
}

/// Returns the known ancestors of the presented token: its parent for certain, and those before it if the record has
/// the same parent.
fn known_ancestors(record: &RotationRecord, presented: PresentedRefresh) -> Vec<Ancestor> {
    let Some(number) = presented.generation.number.checked_sub(1) else { return Vec::new() };
    let parent = Generation { number, branch: presented.parent_branch };
    let before = if record.current == parent {
        record.ancestors.as_slice()
    } else if record.parent() == Some(parent) {
        &record.ancestors[1..]
    } else {
        &[]
    };
    let parent = Ancestor { branch: parent.branch, rotated_at: presented.issued_at.plus(LAST_MILLISECOND) };
    iter::once(parent).chain(before.iter().copied()).take(MAX_ANCESTORS).collect()
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
