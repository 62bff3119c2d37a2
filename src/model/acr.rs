//! How well a sign-in proves the user's identity (`acr`, OpenID Connect Core 1.0 section 2).

use serde::{Deserialize, Serialize};

/// An authentication context class; the weakest comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(from = "String", into = "&'static str")]
pub enum Acr {
    /// One factor, such as a password.
    #[default]
    Password,
    /// Two factors of different kinds.
    MultiFactor,
}

impl Acr {
    pub const ALL: [Self; 2] = [Self::Password, Self::MultiFactor];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "urn:tokenhouse:acr:password",
            Self::MultiFactor => "urn:tokenhouse:acr:mfa",
        }
    }

    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|acr| acr.as_str() == name)
    }

    /// The class of a recorded sign-in. A class that only a newer version knows counts as the weakest, so that tokens
    /// never claim more than was proven.
    #[must_use]
    pub fn recorded(name: &str) -> Self {
        Self::named(name).unwrap_or_default()
    }

    /// Whether it is the weakest class, which records omit.
    #[must_use]
    pub fn is_weakest(&self) -> bool {
        *self == Self::default()
    }
}

impl From<String> for Acr {
    fn from(name: String) -> Self {
        Self::recorded(&name)
    }
}

impl From<Acr> for &'static str {
    fn from(acr: Acr) -> Self {
        acr.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_read_as_it_was_written() {
        for acr in Acr::ALL {
            assert_eq!(serde_json::to_value(acr).unwrap(), acr.as_str());
            assert_eq!(serde_json::from_value::<Acr>(acr.as_str().into()).unwrap(), acr);
            assert_eq!(Acr::named(acr.as_str()), Some(acr));
        }
    }

    #[test]
    fn a_class_that_only_a_newer_version_knows_counts_as_the_weakest() {
        assert_eq!(Acr::recorded("urn:tokenhouse:acr:retina"), Acr::Password);
        assert_eq!(Acr::named("urn:tokenhouse:acr:retina"), None);
        assert!(Acr::Password < Acr::MultiFactor);
    }
}
