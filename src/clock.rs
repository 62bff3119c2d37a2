//! Time and randomness. Only this module asks the system for either.
//!
//! Rules receive both through [`crate::ctx::Ctx`], so that a test can move the clock and never has to sleep.

use std::cell::RefCell;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// A time, in whole milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Converts seconds since the epoch (a JWT `NumericDate`, RFC 7519 section 2).
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Returns whole seconds since the epoch, rounded down (a JWT `NumericDate`).
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    #[must_use]
    pub const fn rounded_up(self) -> Self {
        Self::from_seconds(self.0.saturating_add(999).div_euclid(1000))
    }

    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis_of(duration)))
    }

    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis_of(duration)))
    }

    /// Returns how long ago `earlier` was; zero when it lies ahead, because the clocks of two machines may differ.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// The smallest version 7 UUID of this time: identifiers of earlier times sort before it.
impl From<Timestamp> for Uuid {
    fn from(moment: Timestamp) -> Self {
        let millis = u64::try_from(moment.millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
    }
}

/// Writes RFC 3339, in UTC, with a fraction where the time is not a whole second.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .ok()
            .and_then(|moment| moment.format(&time::format_description::well_known::Rfc3339).ok());
        f.write_str(text.as_deref().unwrap_or("out of range"))
    }
}

impl FromStr for Timestamp {
    type Err = String;

    /// Reads RFC 3339.
    fn from_str(text: &str) -> Result<Self, String> {
        time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339)
            .map(|moment| {
                Self::from_seconds(moment.unix_timestamp()).plus(Duration::from_millis(moment.millisecond().into()))
            })
            .map_err(|_| format!("`{text}` is not a moment as in 2026-11-21T12:00:00Z"))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

fn millis_of(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// A source of time: the system's clock, and in tests an offset from it.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    /// Milliseconds added to the system's clock; zero outside tests.
    offset: Arc<AtomicI64>,
}

impl Clock {
    #[must_use]
    pub fn system() -> Self {
        Self::default()
    }

    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the only code that reads the system's clock")]
    pub fn now(&self) -> Timestamp {
        let system = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(millis_of(system).saturating_add(self.offset.load(Ordering::Relaxed)))
    }

    /// Moves this clock and its clones forward. Tests use it instead of sleeping.
    pub fn advance(&self, by: Duration) {
        self.offset.fetch_add(millis_of(by), Ordering::Relaxed);
    }

    pub fn rewind(&self, by: Duration) {
        self.offset.fetch_sub(millis_of(by), Ordering::Relaxed);
    }
}

/// A monotonic stopwatch for logs, metrics and timeouts. It is never used for the times of a token.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the only code that reads the monotonic clock")]
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }

    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Randomness from the operating system, by way of aws-lc-rs.
#[derive(Debug, Clone, Default)]
pub struct Random {
    source: SystemRandom,
}

impl Random {
    /// Returns `N` random bytes.
    ///
    /// # Panics
    /// When the operating system gives no randomness.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "aws-lc-rs aborts rather than fail here; without randomness nothing may go on"
    )]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.source.fill(&mut bytes).expect("the operating system gives randomness");
        bytes
    }

    /// Returns a random UUID (RFC 9562 version 4), for identifiers that need no order and are not secret. Every request
    /// takes one or two, so they come from a buffer: 1,024 random bytes cost about as much as sixteen.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        STOCK.with_borrow_mut(|stock| {
            if stock.is_empty() {
                stock.extend(self.bytes::<1024>().as_chunks::<16>().0);
            }
            uuid::Builder::from_random_bytes(stock.pop().unwrap_or_else(|| self.bytes())).into_uuid()
        })
    }

    /// Returns a UUID that sorts by `now` (RFC 9562 version 7), for identifiers that are listed in order.
    #[must_use]
    pub fn uuid_at(&self, now: Timestamp) -> Uuid {
        let millis = u64::try_from(now.millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &self.bytes()).into_uuid()
    }
}

thread_local! {
    static STOCK: RefCell<Vec<[u8; 16]>> = const { RefCell::new(Vec::new()) };
}
