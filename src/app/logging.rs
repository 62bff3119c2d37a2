//! Where log lines go and how they look.

use std::io::Stderr;
use std::sync::LazyLock;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

use super::log_lines::Lines;
use super::log_text::Text;
use crate::config::{Log, LogFormat};

static LINES: LazyLock<Lines<Stderr>> = LazyLock::new(|| Lines::new(std::io::stderr()));

/// Starts logging to standard error. A second call changes nothing.
///
/// # Errors
/// A sentence when `log.level` is not a filter, or when the system gives no thread.
pub fn start(settings: &Log) -> Result<(), String> {
    // The web server's own news is of no interest below a warning, unless the setting names it.
    let level = format!("actix_server=warn,{}", settings.level);
    let filter = EnvFilter::try_new(level).map_err(|error| format!("log.level: {error}"))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(&*LINES);
    let started = match settings.format {
        LogFormat::Text => lines.event_format(Text::default()).finish().try_init(),
        LogFormat::Json => lines.json().flatten_event(true).finish().try_init(),
    };
    if started.is_err() {
        // Somebody was faster, which happens in tests alone.
        return Ok(());
    }
    let thread = std::thread::Builder::new().name("log".to_owned()).spawn(|| LINES.run());
    thread.map(drop).map_err(|error| format!("no thread for the log: {error}"))
}

/// Writes the lines that still wait; the last thing that a program does.
pub fn finish() {
    LINES.finish();
}
