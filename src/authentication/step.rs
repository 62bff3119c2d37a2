//! Decides what a user has to prove next: a pure function of the policy, of what the user has set up and proven, and of
//! what the client requests.

use std::collections::BTreeSet;

use super::method::{Method, acr_of, factors_of};
use crate::model::Acr;

/// What every sign-in has to reach, whatever a client requests. The default demands one factor, and the second one if
/// the user has set it up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Policy {
    /// The minimum class.
    pub minimum: Acr,
    /// When a second factor is demanded beyond the minimum class.
    pub second_factor: SecondFactor,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SecondFactor {
    /// At each sign-in of a user who has set one up, so that the password alone does not suffice.
    #[default]
    WhenSetUp,
    /// Where the minimum class or the client requires it.
    WhenRequired,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The user proves one of these, in any order.
    Prove(BTreeSet<Method>),
    Done,
    Refuse(Refusal),
}

/// The reason for which a user cannot be authenticated as required.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The methods that the user has set up do not reach the required class.
    NotSetUp,
}

/// Decides the next step. Neither the order in which methods were proven nor anything that a page sends counts.
#[must_use]
pub fn next_step(policy: Policy, set_up: &BTreeSet<Method>, proven: &BTreeSet<Method>, requested: Option<Acr>) -> Step {
    let best = acr_of(&set_up.union(proven).copied().collect());
    let required = policy.required(best, requested);
    if acr_of(proven) >= Some(required) {
        return Step::Done;
    }
    if best < Some(required) {
        return Step::Refuse(Refusal::NotSetUp);
    }
    let known = factors_of(proven);
    let adds = |method: &Method| method.factors().iter().any(|factor| !known.contains(factor));
    Step::Prove(set_up.iter().copied().filter(adds).collect())
}

impl Policy {
    /// Returns the class required of a user whose methods can reach `best`.
    fn required(self, best: Option<Acr>, requested: Option<Acr>) -> Acr {
        let least = self.minimum.max(requested.unwrap_or_default());
        match self.second_factor {
            SecondFactor::WhenSetUp => least.max(best.unwrap_or_default()),
            SecondFactor::WhenRequired => least,
        }
    }
}
