//! What a presented refresh token means: a pure function of the record, the token and the store's time.
//!
//! The table in `ARCHITECTURE.md`, row by row, where the token is good and there is a record. The ephemeral store's
//! `advance` knows the row of the current token as well and settles it in one trip; whatever else steps is settled by
//! compare-and-set.
//!
//! `tests/rotation_model` plays it against thieves, lost answers, lost records and clocks that differ. What it shows:
//! an honest client alone is never signed out, with these exceptions, where it cannot be told from a thief:
//!
//! - A request for a token that the client no longer holds comes in after the retry window, or after more than
//!   [`MAX_ANCESTORS`] rotations: a duplicate that was so long under way. The window begins when the rotation is
//!   decided; while the ephemeral store fails over to a machine whose clock differs, it is as much shorter or longer.
//! - The answer with a re-issued token was lost, then the record, and after the client got a token from the rebuilt
//!   record, the lost one came back: generations cannot say which of two pasts is the later one, and time is not asked.
//!
//! A token's own expiry is judged before, by the instance's clock and with leeway (`tokens/refresh.rs`).

use std::cmp::Ordering;
use std::iter;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::model::rotation::{Ancestor, Generation, MAX_ANCESTORS, Repeats, RotationRecord};

/// A token says to the second when its parent was rotated; that the parent's window is not cut short, this counts as
/// the end of the second.
const LAST_MILLISECOND: Duration = Duration::from_millis(999);

/// How a client's refresh tokens behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// A used token gets its successor again within this time.
    pub retry_window: Duration,
    /// A lost answer is re-issued within this time; `None`: as long as the presented token lives.
    pub lost_response_window: Option<Duration>,
    /// The same token is returned at every refresh.
    pub fixed: bool,
}

/// A refresh token whose signature, type, issuer, expiry and client are good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PresentedRefresh {
    /// Which of the session's tokens it is.
    pub generation: Generation,
    /// Which re-issue of the generation before it was made from.
    pub parent_branch: u32,
    /// When it was issued, to the second; its parent was rotated then.
    pub issued_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Mint the current token of the record as it stands.
    Keep,
    /// Replace the old record by this one, then mint its current token.
    Step(Box<RotationRecord>, Why),
    /// Two parties hold the tokens: end the session.
    Reuse,
    /// The session has reached its absolute end.
    Over,
}

/// Why a record steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The current token was presented.
    Rotated,
    /// A used token was presented again within the retry window.
    Repeated {
        /// So many generations in a row now, as [`Repeats`] counts them.
        streak: u32,
    },
    /// The parent came back: the answer with the current token was lost.
    Reissued,
    /// The token is ahead of the record: the ephemeral store lost writes, and the signature proves that it was issued.
    RolledForward,
}

/// Decides.
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

/// The first repeat of a generation is written down; the others find it written.
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

/// The current token was never received: the next branch replaces it and counts as the parent's rotation now.
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

/// The record that a lost or outdated one makes way for: as it stood when `presented` was the current token.
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

/// What can be said of the tokens before the presented one: its parent for certain, and those before the parent if the
/// record knows that same parent.
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
