//! The password policy: which passwords a user may choose (OWASP ASVS 5.0, 6.2).

use super::{MAX_PASSWORD_BYTES, common};
use crate::config;
use crate::error::Error;
use crate::model::Secret;

/// A common word with at most this many digits and signs around it is still a common password: `Tokenhouse1!`.
const DECORATION: usize = 8;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PolicyViolation {
    /// The password has fewer characters than this minimum.
    #[error("the password needs at least {0} characters")]
    TooShort(usize),
    /// The password has more bytes than [`MAX_PASSWORD_BYTES`].
    #[error("the password is too long: it has at most 1,024 bytes")]
    TooLong,
    /// The password is the user's name, or its part before the `@`, with at most digits and signs around it.
    #[error("the password is the user name, or hardly more than that")]
    UserName,
    #[error("the password is one of the most common ones, or hardly more than that")]
    Common,
}

impl From<PolicyViolation> for Error {
    fn from(violation: PolicyViolation) -> Self {
        Self::invalid_request(violation.to_string())
    }
}

/// Checks whether a user may choose a password: long enough, at most 1,024 bytes, not among the most common ones, not
/// the name of the user or of this product, and none of these with only digits and signs around it.
///
/// # Errors
/// The violated rule. Converted to an [`Error`], it is a sentence for the user.
pub fn may_be_chosen(password: &Secret, username: &str, settings: &config::Passwords) -> Result<(), PolicyViolation> {
    let text = password.expose();
    if text.chars().count() < settings.minimum_length {
        return Err(PolicyViolation::TooShort(settings.minimum_length));
    }
    if text.len() > MAX_PASSWORD_BYTES {
        return Err(PolicyViolation::TooLong);
    }
    let text = Secret::new(text.to_lowercase());
    if is_username(text.expose(), &username.to_lowercase()) {
        return Err(PolicyViolation::UserName);
    }
    if is_common(text.expose()) {
        return Err(PolicyViolation::Common);
    }
    Ok(())
}

fn is_username(text: &str, username: &str) -> bool {
    let local = username.split_once('@').map_or(username, |(local, _)| local);
    [username, local].into_iter().any(|name| {
        let word = stem(name);
        text == name || (!word.is_empty() && decorated(text) == Some(word))
    })
}

fn is_common(text: &str) -> bool {
    let is_listed = |word: &str| word == "tokenhouse" || common::contains(word);
    is_listed(text) || decorated(text).is_some_and(is_listed)
}

/// Returns the word inside, if there is little else.
fn decorated(text: &str) -> Option<&str> {
    let word = stem(text);
    (text.chars().count() - word.chars().count() <= DECORATION).then_some(word)
}

/// Removes the characters that are not letters from either end.
fn stem(text: &str) -> &str {
    text.trim_matches(|letter: char| !letter.is_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(password: &str, username: &str) -> Option<String> {
        let settings = config::Passwords::default();
        may_be_chosen(&Secret::new(password), username, &settings).err().map(|error| error.to_string())
    }

    #[test]
    fn a_long_and_uncommon_password_may_be_chosen() {
        for password in
            ["correct horse battery", "gravel-Teapot-91", "мой дядя самых", "0b7c-64f1-98aa-12d3", "🌋🏔🗻🏕🏖🏜🏝🏞"]
        {
            assert_eq!(refusal(password, "alice"), None, "{password}");
        }
    }

    #[test]
    fn length_is_counted_in_characters_and_bounded_in_bytes() {
        assert!(refusal("grüße-7", "alice").unwrap().contains("at least 8 characters"));
        assert_eq!(refusal("grüße-7x", "alice"), None);
        assert_eq!(refusal(&"ab7-".repeat(256), "alice"), None);
        assert!(refusal(&format!("{}x", "ab7-".repeat(256)), "alice").unwrap().contains("too long"));
    }

    #[test]
    fn a_common_password_may_not_be_chosen_however_it_is_decorated() {
        for password in [
            "password",
            "PassWord",
            "password1",
            "12345678",
            "Dragon2024!",
            "!!iloveyou!!",
            "Tokenhouse1!",
            "TOKENHOUSE",
            "1q2w3e4r",
        ] {
            assert!(refusal(password, "alice").unwrap().contains("most common"), "{password}");
        }
    }

    #[test]
    fn a_common_word_among_much_else_is_no_common_password() {
        assert_eq!(refusal("dragon-8204-1173", "alice"), None);
        assert_eq!(refusal("tokenhouse of cards", "alice"), None);
    }

    #[test]
    fn the_users_own_name_may_not_be_chosen_however_it_is_decorated() {
        assert!(refusal("Ulrike.Meier", "ulrike.meier").unwrap().contains("user name"));
        assert!(refusal("ulrike.meier99!", "ulrike.meier").unwrap().contains("user name"));
        assert!(refusal("Ulrike.Meier1", "ulrike.meier@example.com").unwrap().contains("user name"));
        assert!(refusal("ulrike.meier@example.com", "ulrike.meier@example.com").unwrap().contains("user name"));
        assert_eq!(refusal("ulrike and the meiers", "ulrike.meier"), None);
        assert_eq!(refusal("83729104-5567", "1234"), None);
    }
}
