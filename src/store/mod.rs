//! Where state lives: the **database** (SQL: users, clients, keys, one row per session, audit, the change feed) and the
//! **ephemeral store** (rotation records, one-time values, counters).
//!
//! The contracts stand in [`ephemeral`] and on [`Database`]. The database is one implementation for two engines; the
//! ephemeral store has two implementations, [`redis`] and [`sql::ephemeral`], and `tests/store.rs` runs one suite
//! against all of them.

pub mod error;
pub mod ephemeral;
pub mod sql;
pub mod memory;
pub mod redis;

use std::ops::Range;
use std::sync::Arc;

use tokio::sync::Notify;

pub use ephemeral::{Advance, CounterState, EphemeralStore, TakeOutcome};
pub use error::{StoreError, UniqueKey};
pub use memory::Memory;
pub use sql::Database;

use self::sql::browser_sessions::CookieDigest;
use self::sql::status::LEASE_LIFETIME;
use crate::clock::Timestamp;
use crate::model::{BrowserSession, Client, ClientId, Consent, User, UserId};

/// The stores of one running instance.
pub struct Store {
    /// What must outlive everything.
    pub database: Database,
    /// What changes at every refresh.
    pub ephemeral: Arc<dyn EphemeralStore>,
    /// What this instance remembers of the database; the change feed keeps it true.
    pub memory: Memory,
    /// Rung when an end may have put a notice into the outbox, so that it is sent at once.
    pub backchannel_due: Notify,
    /// StatusIndexes in the status lists that this instance has leased and not given out.
    indexes: StatusIndexes,
}

/// How many status indexes an instance leases at a time, and the last lease.
struct StatusIndexes {
    at_a_time: u32,
    lease: tokio::sync::Mutex<Lease>,
}

/// What is left of a lease.
#[derive(Default)]
struct Lease {
    indexes: Range<i64>,
    at: Timestamp,
}

impl Store {
    /// The stores, with an empty memory. `lease` is how many status indexes in the status lists are taken at a time:
    /// many for a service, one for a command that ends.
    #[must_use]
    pub fn new(database: Database, ephemeral: Arc<dyn EphemeralStore>, lease: u32) -> Self {
        let indexes = StatusIndexes { at_a_time: lease, lease: tokio::sync::Mutex::default() };
        Self { database, ephemeral, memory: Memory::default(), backchannel_due: Notify::new(), indexes }
    }

    /// A status index in the status lists that nobody had before and nobody gets again.
    pub async fn status_index(&self, now: Timestamp) -> Result<i64, StoreError> {
        let mut lease = self.indexes.lease.lock().await;
        if lease.indexes.is_empty() || now.since(lease.at) >= LEASE_LIFETIME {
            let indexes = self.database.lease_status_indexes(self.indexes.at_a_time).await?;
            *lease = Lease { indexes, at: now };
        }
        let index = lease.indexes.start;
        lease.indexes.start += 1;
        Ok(index)
    }

    /// The client with this identifier, from memory where it is known.
    pub async fn client(&self, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
        if let Some(client) = self.memory.client(id) {
            return Ok(Some(client));
        }
        let ticket = self.memory.ticket();
        let client = self.database.client(id).await?.map(Arc::new);
        if let Some(client) = &client {
            self.memory.keep_client(client, ticket);
        }
        Ok(client)
    }

    /// The user with this identifier, from memory where they are known.
    pub async fn user(&self, id: UserId) -> Result<Option<Arc<User>>, StoreError> {
        if let Some(user) = self.memory.user(id) {
            return Ok(Some(user));
        }
        let ticket = self.memory.ticket();
        let user = self.database.user(id).await?.map(Arc::new);
        if let Some(user) = &user {
            self.memory.keep_user(user, ticket);
        }
        Ok(user)
    }

    /// What the user has agreed to with the application, from memory where it is known.
    pub async fn consent(&self, user: UserId, client: &ClientId) -> Result<Option<Arc<Consent>>, StoreError> {
        if let Some(consent) = self.memory.consent(user, client) {
            return Ok(Some(consent));
        }
        let ticket = self.memory.ticket();
        let consent = self.database.consent(user, client).await?.map(Arc::new);
        if let Some(consent) = &consent {
            self.memory.keep_consent(consent, ticket);
        }
        Ok(consent)
    }

    /// The browser session of a cookie, from memory where it is known.
    pub async fn browser_session(&self, cookie: &CookieDigest) -> Result<Option<Arc<BrowserSession>>, StoreError> {
        if let Some(browser_session) = self.memory.browser_session(cookie) {
            return Ok(Some(browser_session));
        }
        let ticket = self.memory.ticket();
        let browser_session = self.database.browser_session_by_cookie(cookie).await?.map(Arc::new);
        if let Some(browser_session) = &browser_session {
            self.memory.keep_browser_session(cookie, browser_session, ticket);
        }
        Ok(browser_session)
    }
}
