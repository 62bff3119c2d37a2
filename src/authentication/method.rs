//! The methods of authentication, and how much a set of them proves.

use std::collections::BTreeSet;

use crate::model::{Acr, User};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    Password,
    /// Stands for a second method in the tests of this crate.
    #[cfg(test)]
    Code,
}

/// A kind of proof. Two methods of one kind prove no more than one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Factor {
    Knowledge,
    Possession,
}

impl Method {
    pub const ALL: &'static [Self] = &[
        Self::Password,
        #[cfg(test)]
        Self::Code,
    ];

    /// Returns its value in `amr` (RFC 8176 section 2).
    #[must_use]
    pub const fn amr(self) -> &'static str {
        match self {
            Self::Password => "pwd",
            #[cfg(test)]
            Self::Code => "otp",
        }
    }

    #[must_use]
    pub const fn factors(self) -> &'static [Factor] {
        match self {
            Self::Password => &[Factor::Knowledge],
            #[cfg(test)]
            Self::Code => &[Factor::Possession],
        }
    }

    #[must_use]
    pub fn is_set_up(self, user: &User) -> bool {
        match self {
            Self::Password => user.password_changed_at.is_some(),
            #[cfg(test)]
            Self::Code => user.groups.iter().any(|group| group == Self::CODE_GROUP),
        }
    }

    /// The users of this group have set up [`Method::Code`].
    #[cfg(test)]
    pub(crate) const CODE_GROUP: &'static str = "with-code";
}

pub(super) fn set_up_by(user: &User) -> BTreeSet<Method> {
    Method::ALL.iter().copied().filter(|method| method.is_set_up(user)).collect()
}

pub(super) fn factors_of(methods: &BTreeSet<Method>) -> BTreeSet<Factor> {
    methods.iter().flat_map(|method| method.factors()).copied().collect()
}

/// Returns the class that these methods reach together; `None` for an empty set.
pub(super) fn acr_of(methods: &BTreeSet<Method>) -> Option<Acr> {
    match factors_of(methods).len() {
        0 => None,
        1 => Some(Acr::Password),
        _ => Some(Acr::MultiFactor),
    }
}

/// Returns the classes that users of this server can reach (`acr_values_supported`).
#[must_use]
pub fn acr_values() -> Vec<&'static str> {
    let highest = acr_of(&Method::ALL.iter().copied().collect());
    Acr::ALL.into_iter().filter(|acr| Some(*acr) <= highest).map(Acr::as_str).collect()
}
