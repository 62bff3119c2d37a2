//! Formats a log line as text. The content and its order are those of tracing-subscriber's own format, at a lower cost:
//! every request writes a line, and some requests take only a few microseconds. Spans are left out, because there are
//! none.

use std::cell::RefCell;
use std::fmt::{self, Write as _};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::clock::{Clock, Timestamp};

/// `2026-11-22T02:14:45.123Z  INFO tokenhouse::http::request_log: request status=200`
#[derive(Default)]
pub(super) struct Text {
    clock: Clock,
}

impl<S, N> FormatEvent<S, N> for Text
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut line: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        write_time(&mut line, self.clock.now())?;
        line.write_str(level(*event.metadata().level()))?;
        line.write_str(event.metadata().target())?;
        line.write_char(':')?;
        let mut fields = Fields { line: &mut line, outcome: Ok(()) };
        event.record(&mut fields);
        fields.outcome?;
        line.write_char('\n')
    }
}

thread_local! {
    /// The second of this thread's last line, and its text. Most lines share the second of the line before.
    static SECOND: RefCell<(i64, String)> = const { RefCell::new((i64::MIN, String::new())) };
}

fn write_time(line: &mut impl fmt::Write, now: Timestamp) -> fmt::Result {
    SECOND.with_borrow_mut(|(second, text)| {
        if *second != now.seconds() {
            *second = now.seconds();
            *text = Timestamp::from_seconds(*second).to_string();
        }
        line.write_str(text.trim_end_matches('Z'))
    })?;
    write!(line, ".{:03}Z", now.millis().rem_euclid(1000))
}

/// Returns the level, padded to the width of the longest, with a space on either side.
fn level(level: Level) -> &'static str {
    match level {
        Level::ERROR => " ERROR ",
        Level::WARN => "  WARN ",
        Level::INFO => "  INFO ",
        Level::DEBUG => " DEBUG ",
        Level::TRACE => " TRACE ",
    }
}

/// Writes the message, which comes first, and then `name=value` for each field.
struct Fields<W> {
    line: W,
    outcome: fmt::Result,
}

const MESSAGE: &str = "message";

impl<W: fmt::Write> Visit for Fields<W> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.write(field, |line| {
            if is_plain(value) {
                line.write_str(value)
            } else if field.name() == MESSAGE {
                OneLine(line).write_str(value)
            } else {
                write!(line, "{value:?}")
            }
        });
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.write(field, |line| write!(line, "{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.write(field, |line| write!(OneLine(line), "{value:?}"));
    }
}

impl<W: fmt::Write> Fields<W> {
    fn write(&mut self, field: &Field, value: impl FnOnce(&mut W) -> fmt::Result) {
        let written = self.write_name(field).and_then(|()| value(&mut self.line));
        self.outcome = self.outcome.and(written);
    }

    fn write_name(&mut self, field: &Field) -> fmt::Result {
        self.line.write_char(' ')?;
        if field.name() == MESSAGE {
            return Ok(());
        }
        self.line.write_str(field.name())?;
        self.line.write_char('=')
    }
}

/// Whether a value is unambiguous without quotes.
fn is_plain(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b'='))
}

/// Escapes control characters, so that no value can begin a line or control the terminal.
struct OneLine<'line, W>(&'line mut W);

impl<W: fmt::Write> fmt::Write for OneLine<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return self.0.write_str(text);
        }
        text.chars().try_for_each(|char| {
            if char.is_control() { write!(self.0, "{}", char.escape_debug()) } else { self.0.write_char(char) }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    fn line_of(say: impl FnOnce()) -> String {
        let text = Arc::new(Mutex::new(Vec::new()));
        let lines = tracing_subscriber::fmt().event_format(Text::default()).with_writer({
            let text = Arc::clone(&text);
            move || Shared(Arc::clone(&text))
        });
        tracing::subscriber::with_default(lines.finish(), say);
        String::from_utf8(text.lock().unwrap().clone()).unwrap()
    }

    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Shared {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(line)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_has_its_time_level_and_position_and_then_what_was_said() {
        let line = line_of(|| tracing::info!(target: "here", status = 200, request.id = "a1", "request"));

        let (time, rest) = line.split_once(' ').unwrap();
        assert!(time.len() == 24 && time.ends_with('Z'), "{line}");
        assert_eq!(rest, " INFO here: request status=200 request.id=a1\n");
    }

    #[test]
    fn each_line_has_the_time_of_its_own_millisecond() {
        let mut text = String::new();

        for millis in [1_795_313_685_007, 1_795_313_685_120, 1_795_313_686_000] {
            write_time(&mut text, Timestamp::from_millis(millis)).unwrap();
        }

        assert_eq!(text, "2026-11-22T02:14:45.007Z2026-11-22T02:14:45.120Z2026-11-22T02:14:46.000Z");
    }

    #[test]
    fn values_that_are_more_than_a_word_have_quotes() {
        let line = line_of(|| tracing::warn!(target: "here", a = "two words", b = "", c = "x=\"y\"", d = true, "m"));

        let rest = line.split_once("here: ").unwrap().1;
        assert_eq!(rest, "m a=\"two words\" b=\"\" c=\"x=\\\"y\\\"\" d=true\n");
    }

    #[test]
    fn nothing_that_is_said_begins_a_line_of_its_own() {
        let nasty = "one\nTWO \u{1b}[2J\r\n";
        let line = line_of(|| tracing::error!(target: "here", a = nasty, b = %nasty, "{nasty}"));

        assert_eq!(line.matches(char::is_control).collect::<String>(), "\n", "{line}");
        assert!(line.contains(r"here: one\nTWO \u{1b}[2J\r\n a="), "{line}");
    }
}
