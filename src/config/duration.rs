//! Durations in the configuration: `500ms`, `30s`, `5m`, `24h`, `30d`.

use std::fmt;
use std::str::FromStr;

use super::values::text_setting;

/// A duration, read from a number and a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(std::time::Duration);

const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

impl Duration {
    #[must_use]
    pub const fn millis(count: u64) -> Self {
        Self(std::time::Duration::from_millis(count))
    }

    #[must_use]
    pub const fn seconds(count: u64) -> Self {
        Self(std::time::Duration::from_secs(count))
    }

    #[must_use]
    pub const fn minutes(count: u64) -> Self {
        Self(std::time::Duration::from_secs(count * 60))
    }

    #[must_use]
    pub const fn hours(count: u64) -> Self {
        Self(std::time::Duration::from_secs(count * 3600))
    }

    /// Days of 24 hours.
    #[must_use]
    pub const fn days(count: u64) -> Self {
        Self(std::time::Duration::from_secs(count * 86_400))
    }

    #[must_use]
    pub const fn get(self) -> std::time::Duration {
        self.0
    }
}

impl FromStr for Duration {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("`{text}` is not a length of time: write a number and one of ms, s, m, h, d, as in `30s`");
        let text = text.trim();
        if text == "0" {
            return Ok(Self(std::time::Duration::ZERO));
        }
        let digits = text.len() - text.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let (_, millis) = UNITS.into_iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
        number.checked_mul(millis).map(|total| Self(std::time::Duration::from_millis(total))).ok_or_else(wrong)
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        if millis == 0 {
            return f.write_str("0");
        }
        let (name, unit) = UNITS.into_iter().rev().find(|(_, unit)| millis % unit == 0).unwrap_or(("ms", 1));
        write!(f, "{}{name}", millis / unit)
    }
}

text_setting!(Duration, Some(r"^([0-9]+(ms|s|m|h|d)|0)$"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_read_and_written_back() {
        for text in ["500ms", "30s", "5m", "23h", "30d", "0"] {
            assert_eq!(text.parse::<Duration>().unwrap().to_string(), text);
        }
        assert_eq!("24h".parse::<Duration>(), "1d".parse::<Duration>());
    }

    #[test]
    fn other_texts_are_refused_with_an_example() {
        for text in ["", "5", "5 minutes", "m", "-1s", "1.5h", "99999999999999999999d"] {
            assert!(text.parse::<Duration>().unwrap_err().contains("30s"), "{text}");
        }
    }
}
