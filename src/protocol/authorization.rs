//! Parameters of the authorization endpoint (RFC 6749 section 3.1, OpenID Connect Core 1.0 section 3.1.2).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::OAuthError;

/// How an authorization response is returned (`response_mode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// In the query of the redirect URI.
    #[default]
    Query,
    /// In a form that the browser posts (OAuth 2.0 Form Post Response Mode).
    FormPost,
}

impl ResponseMode {
    pub const ALL: [Self; 2] = [Self::Query, Self::FormPost];

    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == name)
    }

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::FormPost => "form_post",
        }
    }
}

/// What the user must be asked, whatever is known already (`prompt`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prompt {
    /// Nothing: the response is an error where a question would be needed.
    None,
    Login,
    Consent,
    SelectAccount,
}

impl Prompt {
    pub const ALL: [Self; 4] = [Self::None, Self::Login, Self::Consent, Self::SelectAccount];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Login => "login",
            Self::Consent => "consent",
            Self::SelectAccount => "select_account",
        }
    }

    /// Reads a list of prompts.
    ///
    /// # Errors
    /// `invalid_request` for an unknown word, and for `none` together with others.
    pub fn parse_all(text: &str) -> Result<BTreeSet<Self>, OAuthError> {
        let mut prompts = BTreeSet::new();
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let prompt = Self::ALL.into_iter().find(|prompt| prompt.as_str() == word);
            prompts.insert(
                prompt
                    .ok_or_else(|| OAuthError::invalid_request("prompt is none, login, consent or select_account"))?,
            );
        }
        if prompts.contains(&Self::None) && prompts.len() > 1 {
            return Err(OAuthError::invalid_request("prompt is none, or something else"));
        }
        Ok(prompts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_are_read_as_a_set() {
        assert_eq!(Prompt::parse_all("").unwrap(), BTreeSet::new());
        assert_eq!(Prompt::parse_all("consent login").unwrap(), BTreeSet::from([Prompt::Login, Prompt::Consent]));
        assert_eq!(Prompt::parse_all("none").unwrap(), BTreeSet::from([Prompt::None]));
    }

    #[test]
    fn none_stands_alone_and_unknown_prompts_are_refused() {
        for text in ["none login", "create", "LOGIN"] {
            assert!(Prompt::parse_all(text).is_err(), "{text}");
        }
    }
}
