//! Measured times.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// Returns the microseconds for one of `count`.
pub(crate) fn micros_each(time: Duration, count: u32) -> f64 {
    time.as_secs_f64() * 1e6 / f64::from(count.max(1))
}

/// Returns the processor time of this thread so far.
pub(crate) fn thread_time() -> Result<Duration> {
    let text =
        std::fs::read_to_string("/proc/thread-self/schedstat").context("processor time is read on Linux only")?;
    let nanos = text.split(' ').next().and_then(|word| word.parse().ok()).context("nanoseconds")?;
    Ok(Duration::from_nanos(nanos))
}

/// Returns the current time, which only decides when to stop.
#[expect(clippy::disallowed_methods, reason = "this is not the server: nothing here decides about a token")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
