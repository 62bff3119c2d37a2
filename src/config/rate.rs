//! Rate limits in the configuration: `10/1m`, or `off`.

use std::fmt;
use std::str::FromStr;

use super::duration::Duration;
use super::values::text_setting;

/// A rate limit: at most `count` in `window`, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    Off,
    Limit {
        /// The largest number in one `window`.
        count: u64,
        window: Duration,
    },
}

impl Rate {
    #[must_use]
    pub const fn of(count: u64, window: Duration) -> Self {
        Self::Limit { count, window }
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self::Off);
        }
        let wrong = || format!("`{text}` is not a limit: write `off` or a number and a time, as in `10/1m`");
        let (count, window) = text.split_once('/').ok_or_else(wrong)?;
        let count: u64 = count.parse().map_err(|_| wrong())?;
        let window: Duration = window.parse().map_err(|_| wrong())?;
        if count == 0 || window.get().is_zero() {
            return Err(wrong());
        }
        Ok(Self::Limit { count, window })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::Limit { count, window } => write!(f, "{count}/{window}"),
        }
    }
}

text_setting!(Rate, Some(r"^([0-9]+/[0-9]+(ms|s|m|h|d)|off)$"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_count_in_a_time_or_off() {
        assert_eq!("10/1m".parse(), Ok(Rate::of(10, Duration::minutes(1))));
        assert_eq!("off".parse(), Ok(Rate::Off));
        for text in ["10", "0/1m", "10/0", "x/1m", "OFF"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }
}
