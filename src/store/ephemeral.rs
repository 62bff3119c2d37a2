//! The contract of the ephemeral store: what is asked of it many times a second and may be lost without signing anybody
//! out.

use std::time::Duration;

use async_trait::async_trait;

use super::StoreError;
use crate::clock::Timestamp;
use crate::model::{Generation, RotationRecord, RotationState, SessionId};

/// A record outlives its current token by two minutes: verification allows one of leeway, clocks differ, and a late
/// token deserves an exact answer.
pub const KEPT_AFTER_EXPIRY: Duration = Duration::from_mins(2);

/// State that changes at every refresh. Each operation is one atomic step on one key; `end` and `forget`, which concern
/// several, are one such step for each.
///
/// Every operation fails with [`StoreError::Unavailable`] when the store does not answer in time; callers then answer
/// 503 and assume nothing.
#[async_trait]
pub trait EphemeralStore: Send + Sync {
    /// Exchanges the current token of `session` if it is `presented`: the record steps forward by
    /// [`RotationRecord::advanced`], at the store's own time. Anything else is returned as it stands, and so is the
    /// record of a session whose end has come.
    async fn advance(&self, session: SessionId, presented: Generation) -> Result<Advance, StoreError>;

    /// What is known of `session`, and the store's own time.
    async fn load(&self, session: SessionId) -> Result<(RotationState, Timestamp), StoreError>;

    /// Writes the first record of `session` unless something (a tombstone, too) is there. Says whether it was written.
    async fn insert(&self, session: SessionId, record: &RotationRecord) -> Result<bool, StoreError>;

    /// Replaces exactly `old` by `new`. Says whether `old` was still there.
    async fn replace(&self, session: SessionId, old: &RotationRecord, new: &RotationRecord)
    -> Result<bool, StoreError>;

    /// Writes a tombstone for each of `sessions`, which stays for `keep`. Doing it again changes nothing.
    async fn end(&self, sessions: &[SessionId], keep: Duration) -> Result<(), StoreError>;

    /// Keeps `value` under `key` for `keep`, to be taken once. Says whether it was written; a key that is there already
    /// is left alone.
    async fn put_once(&self, key: &str, value: &str, keep: Duration) -> Result<bool, StoreError>;

    /// The value under `key`, taken or not; `None` when it is unknown or expired.
    async fn peek(&self, key: &str) -> Result<Option<String>, StoreError>;

    /// Replaces exactly `old` under `key` by `new`, unless it was taken; it expires when `old` would have. Says whether
    /// it was replaced.
    async fn update_once(&self, key: &str, old: &str, new: &str) -> Result<bool, StoreError>;

    /// Takes the value under `key`. It stays remembered as taken until its time is over.
    async fn take_once(&self, key: &str) -> Result<TakeOutcome, StoreError>;

    /// Remembers `key` for `keep`. Says whether it was new.
    async fn remember(&self, key: &str, keep: Duration) -> Result<bool, StoreError>;

    /// Whether `key` is remembered.
    async fn remembers(&self, key: &str) -> Result<bool, StoreError>;

    /// Counts one more under `key`. The count starts over when `window` has passed since its first.
    async fn count(&self, key: &str, window: Duration) -> Result<CounterState, StoreError>;

    /// Forgets the count or the memory under `key`.
    async fn forget(&self, key: &str) -> Result<(), StoreError>;

    /// Whether the store answers and has been brought up to date.
    async fn ping(&self) -> Result<(), StoreError>;

    /// What an operator should mend about the way the store is set up, each with the fix.
    async fn warnings(&self) -> Vec<String>;

    /// Removes what has expired, where the store does not do so by itself.
    async fn prune(&self) -> Result<(), StoreError>;

    /// Called about once a second. A store that may have lost acknowledged writes (a restart, a failover, a lost
    /// connection, its own start) reports it here until [`EphemeralStore::replayed`] has been called, and refuses
    /// refreshes.
    async fn needs_replay(&self) -> Result<bool, StoreError>;

    /// The recent ends have been written again (they were read from the database after
    /// [`EphemeralStore::needs_replay`]). Changes nothing when the store may have lost writes once more since it was
    /// asked.
    async fn replayed(&self);
}

/// The answer of [`EphemeralStore::advance`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advance {
    /// What is known of the session now.
    pub session: RotationState,
    /// Whether this call exchanged the token.
    pub advanced: bool,
    /// The store's own time.
    pub now: Timestamp,
}

/// The answer of [`EphemeralStore::take_once`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TakeOutcome {
    /// Nobody took it before.
    First(String),
    /// It was taken before; this is what it was.
    Again(String),
    /// Unknown or expired.
    Absent,
}

/// The answer of [`EphemeralStore::count`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CounterState {
    /// How many there are in the window, this one included.
    pub count: u64,
    /// When the count starts over.
    pub resets_in: Duration,
}
