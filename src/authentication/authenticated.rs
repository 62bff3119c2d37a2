//! What a user has proven so far ([`Evidence`]), and a user who has proven enough ([`Authenticated`]).

use std::collections::BTreeSet;

use super::method::{Method, acr_of, set_up_by};
use super::step::{Policy, Step, next_step};
use crate::clock::Timestamp;
use crate::model::{Acr, User};
use crate::sessions::Proof;

/// What a user has proven so far. Only the verification of a method creates it, so it is never empty.
#[derive(Debug, Clone)]
pub struct Evidence {
    user: User,
    at: Timestamp,
    methods: BTreeSet<Method>,
}

impl Evidence {
    /// Records that `user` has proven `method` by an attempt that began at `at`.
    pub(super) fn of(user: User, at: Timestamp, method: Method) -> Self {
        Self { user, at, methods: BTreeSet::from([method]) }
    }

    /// Records the method that only the tests of this crate have.
    #[cfg(test)]
    pub(crate) fn of_code(user: User, at: Timestamp) -> Self {
        Self::of(user, at, Method::Code)
    }

    /// Joins the evidence of one user; `None` for two users. Time and user are those of the earlier attempt, so that
    /// whatever was taken from the user since then is taken from the whole.
    #[must_use]
    pub fn and(self, other: Self) -> Option<Self> {
        if self.user.id != other.user.id {
            return None;
        }
        let (first, second) = if self.at <= other.at { (self, other) } else { (other, self) };
        Some(Self { methods: &first.methods | &second.methods, ..first })
    }

    /// Returns the user as the database had it when the attempt began.
    #[must_use]
    pub const fn user(&self) -> &User {
        &self.user
    }

    #[must_use]
    pub fn next_step(&self, policy: Policy, requested: Option<Acr>) -> Step {
        next_step(policy, &set_up_by(&self.user), &self.methods, requested)
    }
}

/// A user who has proven enough. It is the only source of `auth_time`, `amr` and `acr` of whatever begins with it.
#[derive(Debug, Clone)]
pub struct Authenticated {
    user: User,
    at: Timestamp,
    methods: BTreeSet<Method>,
}

impl Authenticated {
    /// Accepts the evidence if nothing more is needed.
    pub fn accept(policy: Policy, evidence: &Evidence, requested: Option<Acr>) -> Result<Self, Step> {
        match evidence.next_step(policy, requested) {
            Step::Done => {
                let Evidence { user, at, methods } = evidence.clone();
                Ok(Self { user, at, methods })
            }
            step @ (Step::Prove(_) | Step::Refuse(_)) => Err(step),
        }
    }

    /// Returns the user as the database had it when the attempt began.
    #[must_use]
    pub const fn user(&self) -> &User {
        &self.user
    }

    /// Returns when the attempt began. Whatever is taken from the user after this time is taken from this sign-in too.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// Returns the methods that the user has proven (`amr`, RFC 8176).
    #[must_use]
    pub fn amr(&self) -> Vec<String> {
        self.methods.iter().map(|method| method.amr().to_owned()).collect()
    }

    #[must_use]
    pub fn acr(&self) -> Acr {
        acr_of(&self.methods).unwrap_or_default()
    }

    /// Returns the claims that the tokens of a session carry about the sign-in.
    #[must_use]
    pub fn proof(&self) -> Proof {
        Proof { at: self.at, amr: self.amr(), acr: self.acr() }
    }

    #[must_use]
    pub fn into_user(self) -> User {
        self.user
    }
}
