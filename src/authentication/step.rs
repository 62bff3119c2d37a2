//! What a user has to prove next: a pure function of the policy, of what the user has set up and proven, and of what
//! the application asks for.

use std::collections::BTreeSet;

use super::method::{Method, acr_of, factors_of};
use crate::model::Acr;

/// What every sign-in has to reach, whatever an application asks for. The default asks for one factor, and for the
/// second where the user has set one up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Policy {
    /// The least class.
    pub minimum: Acr,
    /// When a second factor is asked for although the least class does not need it.
    pub second_factor: SecondFactor,
}

/// When a second factor is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SecondFactor {
    /// At each sign-in of a user who has set one up: whoever knows the password alone does not get in.
    #[default]
    WhenSetUp,
    /// Where the least class or the application needs it.
    WhenRequired,
}

/// What has to happen next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The user proves one of these, in whichever order.
    Prove(BTreeSet<Method>),
    /// Enough is proven.
    Done,
    /// The user cannot be authenticated as required.
    Refuse(Refusal),
}

/// Why a user cannot be authenticated as required.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The methods that the user has set up do not reach the class that is required.
    NotSetUp,
}

/// The next step. The order in which methods were proven does not count, and neither does what a page says.
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
    /// The class to be reached by a user whose methods reach `best`.
    fn required(self, best: Option<Acr>, requested: Option<Acr>) -> Acr {
        let least = self.minimum.max(requested.unwrap_or_default());
        match self.second_factor {
            SecondFactor::WhenSetUp => least.max(best.unwrap_or_default()),
            SecondFactor::WhenRequired => least,
        }
    }
}
