//! What a user has proven so far, and a user who has proven enough.

use std::collections::BTreeSet;

use super::method::{Method, acr_of, set_up_by};
use super::step::{Policy, Step, next_step};
use crate::clock::Timestamp;
use crate::model::{Acr, User};
use crate::sessions::Proof;

/// What a user has proven so far. Only the verification of a method makes it, so it is never empty.
#[derive(Debug, Clone)]
pub struct Evidence {
    user: User,
    at: Timestamp,
    methods: BTreeSet<Method>,
}

impl Evidence {
    /// `user` has proven `method` by an attempt that began at `at`.
    pub(super) fn of(user: User, at: Timestamp, method: Method) -> Self {
        Self { user, at, methods: BTreeSet::from([method]) }
    }

    /// `user` has proven the method that only the tests of this crate have.
    #[cfg(test)]
    pub(crate) fn of_code(user: User, at: Timestamp) -> Self {
        Self::of(user, at, Method::Code)
    }

    /// Both together, if one user has proven both. It is dated, and the user taken, as at the first: what was taken
    /// from the user since then is taken from the whole.
    #[must_use]
    pub fn and(self, other: Self) -> Option<Self> {
        if self.user.id != other.user.id {
            return None;
        }
        let (first, second) = if self.at <= other.at { (self, other) } else { (other, self) };
        Some(Self { methods: &first.methods | &second.methods, ..first })
    }

    /// As the database knew the user when the attempt began.
    #[must_use]
    pub const fn user(&self) -> &User {
        &self.user
    }

    /// What the user has to prove besides.
    #[must_use]
    pub fn next_step(&self, policy: Policy, requested: Option<Acr>) -> Step {
        next_step(policy, &set_up_by(&self.user), &self.methods, requested)
    }
}

/// A user who has proven enough. Alone it gives `auth_time`, `amr` and `acr` to what begins with it.
#[derive(Debug, Clone)]
pub struct Authenticated {
    user: User,
    at: Timestamp,
    methods: BTreeSet<Method>,
}

impl Authenticated {
    /// Accepts the evidence where nothing more is needed.
    ///
    /// # Errors
    /// The step that comes first.
    pub fn accept(policy: Policy, evidence: &Evidence, requested: Option<Acr>) -> Result<Self, Step> {
        match evidence.next_step(policy, requested) {
            Step::Done => {
                let Evidence { user, at, methods } = evidence.clone();
                Ok(Self { user, at, methods })
            }
            step @ (Step::Prove(_) | Step::Refuse(_)) => Err(step),
        }
    }

    /// As the database knew the user when the attempt began.
    #[must_use]
    pub const fn user(&self) -> &User {
        &self.user
    }

    /// When the attempt began: what is taken from the user after this moment is taken from this sign-in too.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// The methods that the user has proven (`amr`, RFC 8176).
    #[must_use]
    pub fn amr(&self) -> Vec<String> {
        self.methods.iter().map(|method| method.amr().to_owned()).collect()
    }

    /// The class that they reach (`acr`).
    #[must_use]
    pub fn acr(&self) -> Acr {
        acr_of(&self.methods).unwrap_or_default()
    }

    /// What the tokens of a session say of the sign-in.
    #[must_use]
    pub fn proof(&self) -> Proof {
        Proof { at: self.at, amr: self.amr(), acr: self.acr() }
    }

    /// The user alone.
    #[must_use]
    pub fn into_user(self) -> User {
        self.user
    }
}
