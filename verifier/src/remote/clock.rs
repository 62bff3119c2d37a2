//! The clock: the only module of this crate that asks the system for the time.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// The wall clock, or the replacement of a test.
#[derive(Clone)]
pub(super) struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    pub(super) fn new(now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    #[expect(clippy::disallowed_methods, reason = "the clock's home in this crate")]
    pub(super) fn system() -> Self {
        Self::new(SystemTime::now)
    }

    /// Seconds since 1970-01-01 UTC.
    pub(super) fn now(&self) -> i64 {
        let since = (self.0)().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// The time of the monotonic clock, for waiting.
#[expect(clippy::disallowed_methods, reason = "the clock's home in this crate")]
pub(super) fn instant() -> tokio::time::Instant {
    tokio::time::Instant::now()
}
