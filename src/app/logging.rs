//! Sets up logging: the filter, the format, and standard error as the destination.

use std::io::Stderr;
use std::sync::LazyLock;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

use super::log_lines::Lines;
use super::log_text::Text;
use crate::config::{Log, LogFormat};

static LINES: LazyLock<Lines<Stderr>> = LazyLock::new(|| Lines::new(std::io::stderr()));

/// Starts logging. A second call has no effect.
///
/// # Errors
/// A message when `log.level` is not a filter, or when the thread of the log cannot be started.
pub fn start(settings: &Log) -> Result<(), String> {
    // Messages of the web server below a warning are noise, unless the setting names them.
    let level = format!("actix_server=warn,{}", settings.level);
    let filter = EnvFilter::try_new(level).map_err(|error| format!("log.level: {error}"))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(&*LINES);
    let started = match settings.format {
        LogFormat::Text => lines.event_format(Text::default()).finish().try_init(),
        LogFormat::Json => lines.json().flatten_event(true).finish().try_init(),
    };
    if started.is_err() {
        // A subscriber was installed before, which happens only in tests.
        return Ok(());
    }
    let thread = std::thread::Builder::new().name("log".to_owned()).spawn(|| LINES.run());
    thread.map(drop).map_err(|error| format!("no thread for the log: {error}"))
}

/// Writes the buffered lines before the program ends.
pub fn finish() {
    LINES.finish();
}
