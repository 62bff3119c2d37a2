//! Where log lines go and how they look.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{Log, LogFormat};

/// Starts logging to standard error. A second call changes nothing.
///
/// # Errors
/// A sentence when `log.level` is not a filter.
pub fn start(settings: &Log) -> Result<(), String> {
    // The web server's own news is of no interest below a warning, unless the setting names it.
    let level = format!("actix_server=warn,{}", settings.level);
    let filter = EnvFilter::try_new(level).map_err(|error| format!("log.level: {error}"))?;
    let colours = std::io::stderr().is_terminal();
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr);
    let started = match settings.format {
        LogFormat::Text => lines.finish().try_init(),
        LogFormat::Json => lines.json().flatten_event(true).finish().try_init(),
    };
    // Somebody was faster, which happens in tests alone.
    drop(started);
    Ok(())
}
