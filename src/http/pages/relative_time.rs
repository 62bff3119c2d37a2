//! Times in words: "5 minutes ago", or a date where it is long ago.

use std::time::Duration;

use super::texts::{Argument, Message};
use crate::clock::Timestamp;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Describes `then` relative to `now`.
pub(super) fn in_words(then: Timestamp, now: Timestamp) -> Message {
    match now.since(then).as_secs() {
        0..MINUTE => Message::plain("moment-now"),
        ago @ MINUTE..HOUR => Message::counting("moment-minutes", "minutes", ago / MINUTE),
        ago @ HOUR..DAY => Message::counting("moment-hours", "hours", ago / HOUR),
        ago if ago < 30 * DAY => Message::counting("moment-days", "days", ago / DAY),
        _ => date(then),
    }
}

pub(super) fn too_many(wait: Duration) -> Message {
    let seconds = (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1);
    if seconds < 2 * MINUTE {
        Message::counting("too-many-seconds", "seconds", seconds)
    } else {
        Message::counting("too-many-minutes", "minutes", seconds.div_ceil(MINUTE))
    }
}

fn date(moment: Timestamp) -> Message {
    let date = time::OffsetDateTime::from_unix_timestamp(moment.seconds()).unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
    let number = |number: u8| Argument::Number(u64::from(number));
    // A year is not a number here, because some languages would format it with a comma.
    let year = Argument::Text(date.year().to_string());
    let args = vec![("day", number(date.day())), ("month", number(date.month().into())), ("year", year)];
    Message { id: "moment-date", args }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_fit_how_long_ago_it_was() {
        let now = Timestamp::from_seconds(1_790_000_000);
        let ago = |seconds| in_words(now.minus(Duration::from_secs(seconds)), now);
        assert_eq!(ago(59), Message::plain("moment-now"));
        assert_eq!(ago(60), Message::counting("moment-minutes", "minutes", 1));
        assert_eq!(ago(2 * HOUR - 1), Message::counting("moment-hours", "hours", 1));
        assert_eq!(ago(29 * DAY), Message::counting("moment-days", "days", 29));
        assert_eq!(in_words(now.plus(Duration::from_secs(5)), now), Message::plain("moment-now"));
    }

    #[test]
    fn what_was_long_ago_has_a_date() {
        let then = Timestamp::from_seconds(1_767_225_599);
        let expected = [
            ("day", Argument::Number(31)),
            ("month", Argument::Number(12)),
            ("year", Argument::Text("2025".to_owned())),
        ];
        assert_eq!(in_words(then, Timestamp::from_seconds(1_790_000_000)).args, expected);
    }

    #[test]
    fn whoever_must_wait_is_never_told_to_come_back_too_early() {
        assert_eq!(too_many(Duration::from_millis(1)), Message::counting("too-many-seconds", "seconds", 1));
        assert_eq!(too_many(Duration::from_millis(59_001)), Message::counting("too-many-seconds", "seconds", 60));
        assert_eq!(too_many(Duration::from_secs(121)), Message::counting("too-many-minutes", "minutes", 3));
    }
}
