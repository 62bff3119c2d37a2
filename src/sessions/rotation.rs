//! What a presented refresh token means: a pure function of the record, the token and the store's time.
//!
//! The table in `ARCHITECTURE.md`, row by row. The hot state's `advance` knows the first row as well and settles it in one
//! trip; every other row is decided here and settled by compare-and-set.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::model::{Ancestor, Generation, RotationRecord};

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
pub struct Presented {
    /// Which of the session's tokens it is.
    pub generation: Generation,
    /// Which re-issue of the generation before it was made from.
    pub parent_branch: u32,
    /// When it was issued, to the second; its parent was rotated then.
    pub issued_at: Timestamp,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Mint the current token of the record as it stands.
    Keep,
    /// Put this record in the place of the old one, then mint its current token.
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
    /// A used token was presented again within the retry window; so many generations in a row now.
    Repeated {
        /// Consecutive generations, this one included.
        streak: u32,
    },
    /// The parent came back: the answer with the current token was lost.
    Reissued,
    /// The token is ahead of the record: the hot state lost writes, and the signature proves that it was issued.
    RolledForward,
}

/// Decides.
#[must_use]
pub fn decide(record: &RotationRecord, presented: Presented, rules: Rules, now: Timestamp) -> Decision {
    if now >= record.ends_at {
        return Decision::Over;
    }
    if presented.generation == record.current {
        return current(record, rules, now);
    }
    if presented.generation > record.current {
        return Decision::Step(Box::new(roll_forward(record, presented, rules, now)), Why::RolledForward);
    }
    behind(record, presented.generation, rules, now)
}

fn current(record: &RotationRecord, rules: Rules, now: Timestamp) -> Decision {
    if rules.fixed {
        return Decision::Keep;
    }
    Decision::Step(Box::new(record.advanced(now)), Why::Rotated)
}

fn behind(record: &RotationRecord, generation: Generation, rules: Rules, now: Timestamp) -> Decision {
    let Some(ancestor) = record.ancestor(generation) else { return Decision::Reuse };
    let age = now.since(ancestor.rotated_at);
    let is_parent = record.parent() == Some(generation);
    if age < rules.retry_window {
        return if is_parent { repeat(record) } else { Decision::Keep };
    }
    let answer_may_be_lost = rules.lost_response_window.is_none_or(|window| age < window);
    if is_parent && answer_may_be_lost {
        return reissue(record, now);
    }
    Decision::Reuse
}

/// The first repeat of a generation is written down; the others find it written.
fn repeat(record: &RotationRecord) -> Decision {
    if record.repeats.current {
        return Decision::Keep;
    }
    let mut noted = record.clone();
    noted.repeats.current = true;
    noted.repeats.streak = record.repeats.streak.saturating_add(1);
    let streak = noted.repeats.streak;
    Decision::Step(Box::new(noted), Why::Repeated { streak })
}

/// The current token was never received: the next branch takes its place and counts as the parent's rotation now.
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

/// Brings the record to the presented token, then rotates it.
fn roll_forward(record: &RotationRecord, presented: Presented, rules: Rules, now: Timestamp) -> RotationRecord {
    let mut ahead = record.clone();
    ahead.current = presented.generation;
    ahead.issued_at = presented.issued_at;
    ahead.ancestors = known_ancestors(record, presented);
    if rules.fixed { ahead } else { ahead.advanced(now) }
}

/// What can be said of the tokens before the presented one: its parent for certain, and those before the parent where
/// the record had reached it.
fn known_ancestors(record: &RotationRecord, presented: Presented) -> Vec<Ancestor> {
    let Some(parent) = parent_of(presented) else { return Vec::new() };
    let mut ancestors = vec![parent];
    if presented.generation.number == record.current.number + 1 {
        ancestors.extend_from_slice(&record.ancestors);
    } else if presented.generation.number == record.current.number {
        ancestors.extend(record.ancestors.iter().skip(1));
    }
    ancestors.truncate(crate::model::rotation::MAX_ANCESTORS);
    ancestors
}

/// The token that `presented` was made from, as far as `presented` itself tells.
#[must_use]
pub fn parent_of(presented: Presented) -> Option<Ancestor> {
    let has_parent = presented.generation.number > 0;
    has_parent.then_some(Ancestor { branch: presented.parent_branch, rotated_at: presented.issued_at })
}
