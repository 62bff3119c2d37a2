//! Lengths of time as people write them: `500ms`, `30s`, `5m`, `24h`, `30d`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A length of time, read from a number and a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span(Duration);

const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

impl Span {
    /// Milliseconds.
    #[must_use]
    pub const fn millis(count: u64) -> Self {
        Self(Duration::from_millis(count))
    }

    /// Seconds.
    #[must_use]
    pub const fn seconds(count: u64) -> Self {
        Self(Duration::from_secs(count))
    }

    /// Minutes.
    #[must_use]
    pub const fn minutes(count: u64) -> Self {
        Self(Duration::from_secs(count * 60))
    }

    /// Hours.
    #[must_use]
    pub const fn hours(count: u64) -> Self {
        Self(Duration::from_secs(count * 3600))
    }

    /// Days of 24 hours.
    #[must_use]
    pub const fn days(count: u64) -> Self {
        Self(Duration::from_secs(count * 86_400))
    }

    /// As the standard library has it.
    #[must_use]
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("`{text}` is not a length of time: write a number and one of ms, s, m, h, d, as in `30s`");
        let text = text.trim();
        if text == "0" {
            return Ok(Self(Duration::ZERO));
        }
        let digits = text.len() - text.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let (_, millis) = UNITS.into_iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
        number.checked_mul(millis).map(|total| Self(Duration::from_millis(total))).ok_or_else(wrong)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        if millis == 0 {
            return f.write_str("0");
        }
        let (name, unit) = UNITS.into_iter().rev().find(|(_, unit)| millis % unit == 0).unwrap_or(("ms", 1));
        write!(f, "{}{name}", millis / unit)
    }
}

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        span.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_read_and_written_back() {
        for text in ["500ms", "30s", "5m", "23h", "30d", "0"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
        }
        assert_eq!("24h".parse::<Span>(), "1d".parse::<Span>());
    }

    #[test]
    fn other_texts_are_refused_with_an_example() {
        for text in ["", "5", "5 minutes", "m", "-1s", "1.5h", "99999999999999999999d"] {
            assert!(text.parse::<Span>().unwrap_err().contains("30s"), "{text}");
        }
    }
}
