//! Where state lives: the **ledger** (SQL: users, clients, keys, one row per session, audit, the change feed) and the
//! **hot state** (rotation records, one-time values, counters).
//!
//! The contracts stand in [`hot`] and on [`Ledger`]. The ledger is one implementation on two databases; the hot state
//! has two implementations, [`redis`] and [`ledger::hot`], and `tests/store.rs` runs one suite against all of them.

pub mod error;
pub mod hot;
pub mod ledger;
pub mod memory;
pub mod redis;

use std::ops::Range;
use std::sync::Arc;

use tokio::sync::Notify;

pub use error::StoreError;
pub use hot::{Advance, Counted, HotState, Taken};
pub use ledger::Ledger;
pub use memory::Memory;

use self::ledger::logins::CookieDigest;
use self::ledger::status::LEASE_LIFETIME;
use crate::clock::Timestamp;
use crate::model::{Client, ClientId, Consent, Login, User, UserId};

/// The stores of one running instance.
pub struct Store {
    /// What must outlive everything.
    pub ledger: Ledger,
    /// What changes at every refresh.
    pub hot: Arc<dyn HotState>,
    /// What this instance remembers of the ledger; the change feed keeps it true.
    pub memory: Memory,
    /// Rung when an end may have put a notice into the outbox, so that it is sent at once.
    pub notices: Notify,
    /// Places in the status lists that this instance has leased and not given out.
    places: Places,
}

/// How many places an instance leases at a time, and the last lease.
struct Places {
    at_a_time: u32,
    lease: tokio::sync::Mutex<Lease>,
}

/// What is left of a lease.
#[derive(Default)]
struct Lease {
    places: Range<i64>,
    at: Timestamp,
}

impl Store {
    /// The stores, with an empty memory. `lease` is how many places in the status lists are taken at a time: many
    /// for a service, one for a command that ends.
    #[must_use]
    pub fn new(ledger: Ledger, hot: Arc<dyn HotState>, lease: u32) -> Self {
        let places = Places { at_a_time: lease, lease: tokio::sync::Mutex::default() };
        Self { ledger, hot, memory: Memory::default(), notices: Notify::new(), places }
    }

    /// A place in the status lists that nobody had before and nobody gets again.
    pub async fn status_index(&self, now: Timestamp) -> Result<i64, StoreError> {
        let mut lease = self.places.lease.lock().await;
        if lease.places.is_empty() || now.since(lease.at) >= LEASE_LIFETIME {
            let places = self.ledger.lease_status_indexes(self.places.at_a_time).await?;
            *lease = Lease { places, at: now };
        }
        let place = lease.places.start;
        lease.places.start += 1;
        Ok(place)
    }

    /// The client with this identifier, from memory where it is known.
    pub async fn client(&self, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
        if let Some(client) = self.memory.client(id) {
            return Ok(Some(client));
        }
        let ticket = self.memory.ticket();
        let client = self.ledger.client(id).await?.map(Arc::new);
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
        let user = self.ledger.user(id).await?.map(Arc::new);
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
        let consent = self.ledger.consent(user, client).await?.map(Arc::new);
        if let Some(consent) = &consent {
            self.memory.keep_consent(consent, ticket);
        }
        Ok(consent)
    }

    /// The login of a cookie, from memory where it is known.
    pub async fn login(&self, cookie: &CookieDigest) -> Result<Option<Arc<Login>>, StoreError> {
        if let Some(login) = self.memory.login(cookie) {
            return Ok(Some(login));
        }
        let ticket = self.memory.ticket();
        let login = self.ledger.login_by_cookie(cookie).await?.map(Arc::new);
        if let Some(login) = &login {
            self.memory.keep_login(cookie, login, ticket);
        }
        Ok(login)
    }
}
