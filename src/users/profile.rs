//! Checks the claims of a profile (OpenID Connect Core 1.0 section 5.1). Services that trust this server receive them,
//! so each claim must have the form that the standard gives it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use crate::error::Error;
use crate::model::{Address, Profile};

/// A change of claims as a JSON merge patch (RFC 7396): an absent claim stays as it is, and `null` removes it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProfileChange(Map<String, Value>);

impl ProfileChange {
    /// Sets one claim from text. Empty text removes the claim. A part of the address is named as in
    /// `address.locality`.
    pub fn set(&mut self, claim: &str, text: &str) -> Result<(), Error> {
        let value = match (claim, text) {
            (_, "") => Value::Null,
            ("phone_number_verified", "true") => Value::Bool(true),
            ("phone_number_verified", "false") => Value::Bool(false),
            ("phone_number_verified", _) => {
                return Err(Error::invalid_request("the claim phone_number_verified is true or false"));
            }
            ("address", _) => {
                let parts = Address::PARTS.join(", ");
                let what = format!("an address has parts: write address.locality=Paris; there are {parts}");
                return Err(Error::invalid_request(what));
            }
            (_, text) => Value::String(text.to_owned()),
        };
        let before = if let Some(("address", part)) = claim.split_once('.') {
            known("part of address", part, &Address::PARTS)?;
            let address = self.0.entry("address").or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(parts) = address else { return Err(twice("address")) };
            parts.insert(part.to_owned(), value)
        } else {
            check_known(claim)?;
            self.0.insert(claim.to_owned(), value)
        };
        before.map_or(Ok(()), |_| Err(twice(claim)))
    }

    /// Returns the profile after the change, checked. A changed phone number is not verified unless the change says so.
    pub(super) fn applied_to(&self, before: &Profile) -> Result<Profile, Error> {
        let mut after = before.clone();
        for (claim, value) in &self.0 {
            check_known(claim)?;
            after = with(&after, claim, value)?;
        }
        if after.phone_number != before.phone_number && !self.0.contains_key("phone_number_verified") {
            after.phone_number_verified = None;
        }
        if after.phone_number.is_none() && after.phone_number_verified.take() == Some(true) {
            return Err(Error::invalid_request("there is no phone_number that could be verified"));
        }
        after.address = after.address.filter(|address| *address != Address::default());
        check(&after)?;
        Ok(after)
    }
}

fn twice(claim: &str) -> Error {
    Error::invalid_request(format!("the claim {claim} is set twice"))
}

fn check_known(claim: &str) -> Result<(), Error> {
    if claim == "updated_at" {
        return Err(Error::invalid_request("the claim updated_at is set by the service itself"));
    }
    known("claim", claim, &Profile::CLAIMS)
}

fn known(what: &str, name: &str, names: &[&str]) -> Result<(), Error> {
    if names.contains(&name) {
        return Ok(());
    }
    Err(Error::invalid_request(format!("there is no {what} {name:?}; there are {}", names.join(", "))))
}

fn with(profile: &Profile, claim: &str, value: &Value) -> Result<Profile, Error> {
    if let (true, Some(parts)) = (claim == "address", value.as_object()) {
        parts.keys().try_for_each(|part| known("part of address", part, &Address::PARTS))?;
    }
    let wrong = || Error::invalid_request(format!("the claim {claim} is not of the right type"));
    let mut claims = serde_json::to_value(profile).map_err(|_| wrong())?;
    merge(&mut claims[claim], value);
    serde_json::from_value(claims).map_err(|_| wrong())
}

/// Merges by RFC 7396 section 2, except that `null` is kept as a value, because it is read as absent.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    for (name, value) in patch {
        merge(&mut target[name], value);
    }
}

fn check(profile: &Profile) -> Result<(), Error> {
    let Profile {
        name,
        given_name,
        family_name,
        middle_name,
        nickname,
        preferred_username,
        profile: page,
        picture,
        website,
        gender,
        birthdate,
        zoneinfo,
        locale,
        phone_number,
        phone_number_verified: _,
        address,
        updated_at: _,
    } = profile;
    for (claim, text) in [
        ("name", name),
        ("given_name", given_name),
        ("family_name", family_name),
        ("middle_name", middle_name),
        ("nickname", nickname),
        ("preferred_username", preferred_username),
        ("gender", gender),
    ] {
        check_claim(claim, text.as_deref(), is_line, "is 1 to 256 bytes without control characters")?;
    }
    for (claim, text) in [("profile", page), ("picture", picture), ("website", website)] {
        check_claim(claim, text.as_deref(), is_web_address, "is an http or https URL of at most 2048 bytes")?;
    }
    check_claim("birthdate", birthdate.as_deref(), is_birthdate, "is YYYY-MM-DD, 0000-MM-DD or YYYY")?;
    check_claim("zoneinfo", zoneinfo.as_deref(), is_zone, "is a name of the time zone database, as Europe/Paris")?;
    check_claim("locale", locale.as_deref(), is_language_tag, "is a language tag, as en-US")?;
    let phone = "has the country's code, as +1 (425) 555-1212, perhaps with ;ext=5678";
    check_claim("phone_number", phone_number.as_deref(), is_phone_number, phone)?;
    address.as_ref().map_or(Ok(()), check_address)
}

fn check_address(address: &Address) -> Result<(), Error> {
    let Address { formatted, street_address, locality, region, postal_code, country } = address;
    for (part, text) in [("address.formatted", formatted), ("address.street_address", street_address)] {
        check_claim(
            part,
            text.as_deref(),
            is_lines,
            "is 1 to 1024 bytes, with newlines and no other control characters",
        )?;
    }
    for (part, text) in [
        ("address.locality", locality),
        ("address.region", region),
        ("address.postal_code", postal_code),
        ("address.country", country),
    ] {
        check_claim(part, text.as_deref(), is_line, "is 1 to 256 bytes without control characters")?;
    }
    Ok(())
}

fn check_claim(claim: &str, text: Option<&str>, fits: fn(&str) -> bool, form: &str) -> Result<(), Error> {
    match text {
        Some(text) if !fits(text) => Err(Error::invalid_request(format!("the claim {claim} {form}"))),
        _ => Ok(()),
    }
}

fn is_line(text: &str) -> bool {
    text.len() <= 256 && !text.trim().is_empty() && !text.chars().any(char::is_control)
}

fn is_lines(text: &str) -> bool {
    let is_odd = |letter: char| letter.is_control() && letter != '\n' && letter != '\r';
    text.len() <= 1024 && !text.trim().is_empty() && !text.chars().any(is_odd)
}

/// Services put these into links and images, so `javascript:`, `data:` and credentials are refused.
fn is_web_address(text: &str) -> bool {
    let plain = text.len() <= 2048 && text.bytes().all(|byte| byte.is_ascii_graphic());
    plain
        && Url::parse(text).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none()
        })
}

fn is_birthdate(text: &str) -> bool {
    let number = |text: &str, digits: usize| {
        let fits = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
        if fits { text.parse::<u16>().ok() } else { None }
    };
    let parts: Vec<&str> = text.split('-').collect();
    match parts.as_slice() {
        [year] => number(year, 4).is_some_and(|year| year > 0),
        [year, month, day] => match (number(year, 4), number(month, 2), number(day, 2)) {
            (Some(year), Some(month), Some(day)) => (1..=days_of(year, month)).contains(&day),
            _ => false,
        },
        _ => false,
    }
}

/// Counts the days of a month. The year 0000, which stands for an omitted year, is a leap year.
fn days_of(year: u16, month: u16) -> u16 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u16::from(leap),
        _ => 0,
    }
}

/// Checks the form only, because the set of time zones changes several times a year.
fn is_zone(text: &str) -> bool {
    let is_word = |word: &str| {
        word.starts_with(|letter: char| letter.is_ascii_alphabetic())
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte))
    };
    text.len() <= 64 && text.split('/').all(is_word)
}

/// Checks the form of RFC 5646. The underscore is a common mistake that OpenID Connect Core 1.0 section 5.1 lets pass.
fn is_language_tag(text: &str) -> bool {
    let mut words = text.split(['-', '_']);
    let language = words
        .next()
        .is_some_and(|word| (2..=8).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_alphabetic()));
    language
        && text.len() <= 64
        && words.all(|word| (1..=8).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Checks for E.164 with common separators and the extension of RFC 3966.
fn is_phone_number(text: &str) -> bool {
    let (number, extension) = text.split_once(";ext=").map_or((text, None), |(number, digits)| (number, Some(digits)));
    let Some(number) = number.strip_prefix('+') else { return false };
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    let is_digits = |text: &str| (1..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    (3..=15).contains(&digits)
        && number.len() <= 32
        && number.starts_with(|letter: char| letter.is_ascii_digit())
        && number.bytes().all(|byte| byte.is_ascii_digit() || b" ()-.".contains(&byte))
        && extension.is_none_or(is_digits)
}

#[cfg(test)]
mod tests;
