//! `scope`: a set of words separated by single spaces (RFC 6749 section 3.3).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::OAuthError;

/// The most scope words that one request may name.
pub const MAX_SCOPES: usize = 100;

/// Prefix of the scopes that give rights over this server itself.
pub const SERVER_PREFIX: &str = "tokenhouse:";

/// Full access to the admin API.
pub const ADMIN: &str = "tokenhouse:admin";

/// Read access to the admin API.
pub const ADMIN_READ: &str = "tokenhouse:admin.read";

/// Listing and ending sessions in the admin API.
pub const SESSIONS: &str = "tokenhouse:sessions";

/// Subscribing to the event stream.
pub const EVENTS: &str = "tokenhouse:events";

/// Signing users in (OpenID Connect Core 1.0 section 3.1.2.1).
pub const OPENID: &str = "openid";

/// The session outlives the browser session under which it began (OpenID Connect Core 1.0 section 11).
pub const OFFLINE_ACCESS: &str = "offline_access";

/// Introspecting the tokens of every client.
pub const INTROSPECT: &str = "tokenhouse:introspect";

/// A parsed scope. Words keep the order in which they were given and occur once.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scope(String);

impl Scope {
    #[must_use]
    pub const fn empty() -> Self {
        Self(String::new())
    }

    /// Reads `text`; repeated words are kept once.
    ///
    /// # Errors
    /// `invalid_scope` when a word holds a character outside `%x21 / %x23-5B / %x5D-7E`, when words are not separated
    /// by exactly one space, or when there are more than [`MAX_SCOPES`] of them.
    pub fn parse(text: &str) -> Result<Self, OAuthError> {
        if text.is_empty() {
            return Ok(Self::empty());
        }
        let mut words: Vec<&str> = Vec::new();
        for word in text.split(' ') {
            if word.is_empty() || !word.bytes().all(is_scope_byte) {
                return Err(OAuthError::invalid_scope("scope is a list of words separated by single spaces"));
            }
            if words.contains(&word) {
                continue;
            }
            if words.len() == MAX_SCOPES {
                return Err(OAuthError::invalid_scope("scope names more than 100 words"));
            }
            words.push(word);
        }
        Ok(Self(words.join(" ")))
    }

    /// Joins known words; repeated words are kept once.
    pub(super) fn of(words: impl IntoIterator<Item = &'static str>) -> Self {
        let mut kept: Vec<&str> = Vec::new();
        for word in words {
            if !kept.contains(&word) {
                kept.push(word);
            }
        }
        Self(kept.join(" "))
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ').filter(|word| !word.is_empty())
    }

    #[must_use]
    pub fn contains(&self, word: &str) -> bool {
        self.iter().any(|own| own == word)
    }

    /// Whether every word of this scope is in `other`.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        self.0 == other.0 || self.iter().all(|word| other.contains(word))
    }

    /// The words of this scope that are also in `other`, in the order of this scope.
    #[must_use]
    pub fn within(&self, other: &Self) -> Self {
        self.retain(|word| other.contains(word))
    }

    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let more = other.iter().filter(|word| !self.contains(word));
        Self(self.iter().chain(more).collect::<Vec<_>>().join(" "))
    }

    /// The scope without the words that give rights over this server itself.
    #[must_use]
    pub fn without_server(&self) -> Self {
        self.retain(|word| !word.starts_with(SERVER_PREFIX))
    }

    #[must_use]
    pub fn without(&self, word: &str) -> Self {
        self.retain(|own| own != word)
    }

    fn retain(&self, keep: impl Fn(&str) -> bool) -> Self {
        Self(self.iter().filter(|word| keep(word)).collect::<Vec<_>>().join(" "))
    }

    /// Whether a word gives rights over this server itself.
    #[must_use]
    pub fn concerns_this_server(&self) -> bool {
        self.iter().any(|word| word.starts_with(SERVER_PREFIX))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

const fn is_scope_byte(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Scope {
    type Error = OAuthError;

    fn try_from(text: String) -> Result<Self, OAuthError> {
        Self::parse(&text)
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::ErrorCode;

    #[test]
    fn words_keep_their_order_and_occur_once() {
        let scope = Scope::parse("read write read").unwrap();

        assert_eq!(scope.as_str(), "read write");
    }

    #[test]
    fn malformed_scopes_are_refused() {
        for text in [" read", "read ", "a  b", "a\tb", "\"", "\\", "é", "a\nb"] {
            assert_eq!(Scope::parse(text).unwrap_err().code, ErrorCode::InvalidScope, "{text:?}");
        }
    }

    #[test]
    fn the_hundred_and_first_word_is_refused() {
        let words: Vec<String> = (0..101).map(|n| format!("s{n}")).collect();

        assert!(Scope::parse(&words[..100].join(" ")).is_ok());
        assert!(Scope::parse(&words.join(" ")).is_err());
    }

    #[test]
    fn a_scope_is_within_another_only_when_every_word_is() {
        let all = Scope::parse("a b c").unwrap();

        assert!(Scope::parse("c a").unwrap().is_within(&all));
        assert!(Scope::empty().is_within(&all));
        assert!(!Scope::parse("a ab").unwrap().is_within(&all));
    }
}
