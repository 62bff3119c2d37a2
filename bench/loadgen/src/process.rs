//! The processor time of another process.

use std::time::Duration;

use anyhow::{Context, Result};

/// Ticks a second in `/proc/PID/stat`, which is the same on every Linux in use.
const TICKS: u64 = 100;

/// Returns the processor time that all threads of the process have used so far, in user and in kernel mode.
pub(crate) fn time(pid: u32) -> Result<Duration> {
    let path = format!("/proc/{pid}/stat");
    let text = std::fs::read_to_string(&path).with_context(|| format!("reading {path}"))?;
    // The name, in parentheses, may hold spaces. After it, the 12th and 13th words are the two times.
    let (_, words) = text.rsplit_once(')').context("a name in parentheses")?;
    let ticks: u64 = words.split_whitespace().skip(11).take(2).map(|word| word.parse().unwrap_or(0_u64)).sum();
    Ok(Duration::from_millis(ticks * 1000 / TICKS))
}
