//! The contract of the ephemeral store: state that is used many times a second and may be lost without signing out any
//! user.

use std::time::Duration;

use async_trait::async_trait;

use super::StoreError;
use crate::clock::Timestamp;
use crate::model::{Generation, RotationRecord, RotationState, SessionId};

/// How long a record outlives its current token. Verification allows one minute of leeway, clocks differ, and a late
/// token still gets an exact answer.
pub const KEPT_AFTER_EXPIRY: Duration = Duration::from_mins(2);

/// State that changes at every refresh. Each operation is one atomic step on one key. `end` and `forget` concern
/// several keys and take one such step for each.
///
/// Every operation fails with [`StoreError::Unavailable`] when the store does not answer in time. Callers then answer
/// 503 and assume nothing about what was done.
#[async_trait]
pub trait EphemeralStore: Send + Sync {
    /// Exchanges the current token of `session` if it is the `presented` one: the record steps forward by
    /// [`RotationRecord::advanced`], at the store's own time. Otherwise the state is returned unchanged, as is a record
    /// whose session is past its absolute end.
    async fn advance(&self, session: SessionId, presented: Generation) -> Result<Advance, StoreError>;

    /// Returns the state of `session` and the store's own time.
    async fn load(&self, session: SessionId) -> Result<(RotationState, Timestamp), StoreError>;

    /// Writes the first record of `session`. Returns `false` if a record or a tombstone exists already.
    async fn insert(&self, session: SessionId, record: &RotationRecord) -> Result<bool, StoreError>;

    /// Replaces exactly `old` by `new`. Returns whether `old` was still stored.
    async fn replace(&self, session: SessionId, old: &RotationRecord, new: &RotationRecord)
    -> Result<bool, StoreError>;

    /// Writes a tombstone for each of `sessions`, which is kept for `keep`. The operation is idempotent.
    async fn end(&self, sessions: &[SessionId], keep: Duration) -> Result<(), StoreError>;

    /// Stores `value` under `key` for `keep`, to be taken once. Returns `false`, and changes nothing, if the key exists
    /// already.
    async fn put_once(&self, key: &str, value: &str, keep: Duration) -> Result<bool, StoreError>;

    /// Returns the value under `key`, taken or not; `None` when it is unknown or expired.
    async fn peek(&self, key: &str) -> Result<Option<String>, StoreError>;

    /// Replaces exactly `old` under `key` by `new`, unless it was taken. The expiry stays that of `old`. Returns
    /// whether the value was replaced.
    async fn update_once(&self, key: &str, old: &str, new: &str) -> Result<bool, StoreError>;

    /// Takes the value under `key`. The store remembers it as taken until it expires.
    async fn take_once(&self, key: &str) -> Result<TakeOutcome, StoreError>;

    /// Remembers `key` for `keep`. Returns whether it was new.
    async fn remember(&self, key: &str, keep: Duration) -> Result<bool, StoreError>;

    async fn remembers(&self, key: &str) -> Result<bool, StoreError>;

    /// Increments the count under `key`. The count restarts when `window` has passed since its first increment.
    async fn count(&self, key: &str, window: Duration) -> Result<CounterState, StoreError>;

    /// Deletes the count and the remembered key under `key`.
    async fn forget(&self, key: &str) -> Result<(), StoreError>;

    /// Checks that the store answers and that no replay of recent ends is outstanding.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Returns what an operator should correct in the store's configuration, each with the fix.
    async fn warnings(&self) -> Vec<String>;

    /// Removes expired entries, where the store does not do so by itself.
    async fn prune(&self) -> Result<(), StoreError>;

    /// Returns whether recent ends must be written again. The replay job calls this about once a second. A store that
    /// may have lost acknowledged writes (a restart, a failover, a lost connection, its own start) returns `true` and
    /// refuses refreshes until [`EphemeralStore::replayed`] has been called.
    async fn needs_replay(&self) -> Result<bool, StoreError>;

    /// Reports that the recent ends, read from the database after [`EphemeralStore::needs_replay`], have been written
    /// again. Has no effect when the store may have lost writes since then.
    async fn replayed(&self);
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advance {
    pub session: RotationState,
    pub advanced: bool,
    pub now: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TakeOutcome {
    First(String),
    Again(String),
    Absent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CounterState {
    /// The count in the window, this call included.
    pub count: u64,
    pub resets_in: Duration,
}
