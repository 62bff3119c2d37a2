//! The stores: the **database** (SQL: users, clients, keys, one row per session, audit, the change feed) and the
//! **ephemeral store** (rotation records, one-time values, counters).
//!
//! [`EphemeralStore`] and [`Database`] document their contracts. The database has one implementation for two engines.
//! The ephemeral store has two implementations, [`redis`] and [`sql::ephemeral`]. `tests/store.rs` runs one suite
//! against all of them.

pub mod change;
pub mod error;
pub mod ephemeral;
pub mod sql;
pub mod memory;
pub mod redis;

use std::ops::Range;
use std::sync::Arc;

use tokio::sync::Notify;

pub use change::Change;
pub use ephemeral::{Advance, CounterState, EphemeralStore, TakeOutcome};
pub use error::{StoreError, UniqueKey};
pub use memory::Memory;
pub use sql::Database;

use self::sql::status::LEASE_LIFETIME;
use crate::clock::Timestamp;
use crate::model::{BrowserSession, Client, ClientId, Consent, CookieDigest, User, UserId};

/// The stores of one running instance.
pub struct Store {
    pub database: Database,
    pub ephemeral: Arc<dyn EphemeralStore>,
    /// The cache of database rows. This instance's own commits and the change feed keep it consistent.
    pub memory: Arc<Memory>,
    /// Notified when the end of a session may have queued a back-channel logout, so that it is sent at once.
    pub backchannel_due: Notify,
    indexes: StatusIndexes,
}

struct StatusIndexes {
    at_a_time: u32,
    lease: tokio::sync::Mutex<Lease>,
}

/// The part of the last lease that has not been assigned.
#[derive(Default)]
struct Lease {
    indexes: Range<i64>,
    at: Timestamp,
}

impl Store {
    /// Builds the stores, with the cache of the database. `lease` is the number of status indexes leased at a time:
    /// many for a server, one for a command that exits soon.
    #[must_use]
    pub fn new(database: Database, ephemeral: Arc<dyn EphemeralStore>, lease: u32) -> Self {
        let indexes = StatusIndexes { at_a_time: lease, lease: tokio::sync::Mutex::default() };
        let memory = database.memory();
        Self { database, ephemeral, memory, backchannel_due: Notify::new(), indexes }
    }

    /// Returns a status index that was never assigned before and is never assigned again.
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

    /// Returns the client from the cache, or else from the database. The three methods below do the same for their
    /// rows.
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

    pub async fn browser_session(&self, cookie: &CookieDigest) -> Result<Option<Arc<BrowserSession>>, StoreError> {
        match self.memory.browser_session(cookie) {
            Some(browser_session) => Ok(Some(browser_session)),
            None => self.read_browser_session(cookie).await,
        }
    }

    /// Reads the browser session of a cookie from the database, even if it is cached: its last use is not in the change
    /// feed.
    pub async fn read_browser_session(&self, cookie: &CookieDigest) -> Result<Option<Arc<BrowserSession>>, StoreError> {
        let ticket = self.memory.ticket();
        let browser_session = self.database.browser_session_by_cookie(cookie).await?.map(Arc::new);
        if let Some(browser_session) = &browser_session {
            self.memory.keep_browser_session(cookie, browser_session, ticket);
        }
        Ok(browser_session)
    }
}
