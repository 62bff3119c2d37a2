//! Buffers log lines. A system call for each line is expensive where a whole request takes a few microseconds, so lines
//! are written together: when the buffer is full, when one of them is a warning or an error, and after [`LATEST`] in
//! any case. Their order is kept. [`Lines::finish`] writes the rest when the program ends.

use std::io::{self, Write};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// The longest time that a line stays in the buffer.
const LATEST: Duration = Duration::from_millis(100);

/// The length of the buffer, in bytes, at which it is written.
const FULL: usize = 32 * 1024;

/// The buffer of lines for `W`.
pub(super) struct Lines<W> {
    waiting: Mutex<PendingLines<W>>,
    /// Signals that the buffer is not empty.
    some: Condvar,
}

struct PendingLines<W> {
    text: Vec<u8>,
    out: W,
}

/// A writer for one line, which the subscriber writes in one piece.
pub(super) struct Line<'lines, W> {
    lines: &'lines Lines<W>,
    urgent: bool,
}

impl<W: Write> Lines<W> {
    pub(super) const fn new(out: W) -> Self {
        Self { waiting: Mutex::new(PendingLines { text: Vec::new(), out }), some: Condvar::new() }
    }

    /// Writes the buffer repeatedly, on a thread of its own.
    pub(super) fn run(&self) -> ! {
        loop {
            let waiting = self.some.wait_while(self.lock(), |waiting| waiting.text.is_empty());
            drop(waiting);
            std::thread::sleep(LATEST);
            self.finish();
        }
    }

    pub(super) fn finish(&self) {
        self.lock().write_out();
    }

    fn lock(&self) -> MutexGuard<'_, PendingLines<W>> {
        // A panic with this lock held happened while a line was written; the next line may succeed.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: Write> PendingLines<W> {
    fn write_out(&mut self) {
        // A log that cannot be written cannot report its own error.
        drop(self.out.write_all(&self.text));
        self.text.clear();
    }
}

impl<W: Write> Write for Line<'_, W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut waiting = self.lines.lock();
        if waiting.text.is_empty() {
            self.lines.some.notify_one();
        }
        waiting.text.extend_from_slice(line);
        if self.urgent || waiting.text.len() >= FULL {
            waiting.write_out();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: Write + 'static> MakeWriter<'_> for &'static Lines<W> {
    type Writer = Line<'static, W>;

    fn make_writer(&self) -> Self::Writer {
        Line { lines: self, urgent: true }
    }

    fn make_writer_for(&self, metadata: &tracing::Metadata<'_>) -> Self::Writer {
        Line { lines: self, urgent: *metadata.level() <= tracing::Level::WARN }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(lines: &Lines<Vec<u8>>, text: &str, urgent: bool) {
        Line { lines, urgent }.write_all(text.as_bytes()).unwrap();
    }

    fn written(lines: &Lines<Vec<u8>>) -> String {
        String::from_utf8(lines.lock().out.clone()).unwrap()
    }

    #[test]
    fn a_line_waits_until_a_warning_takes_it_along() {
        let lines = Lines::new(Vec::new());

        say(&lines, "one\n", false);
        assert_eq!(written(&lines), "");
        say(&lines, "two\n", true);

        assert_eq!(written(&lines), "one\ntwo\n");
    }

    #[test]
    fn many_lines_do_not_wait() {
        let lines = Lines::new(Vec::new());

        say(&lines, &"x".repeat(FULL), false);

        assert_eq!(written(&lines).len(), FULL);
    }

    #[test]
    fn nothing_is_lost_at_the_end() {
        let lines = Lines::new(Vec::new());

        say(&lines, "last words\n", false);
        lines.finish();
        lines.finish();

        assert_eq!(written(&lines), "last words\n");
    }
}
