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

use std::sync::Arc;

pub use error::StoreError;
pub use hot::{Advance, Counted, HotState, Taken};
pub use ledger::Ledger;
pub use memory::Memory;

use crate::model::{Client, ClientId};

/// The stores of one running instance.
pub struct Store {
    /// What must outlive everything.
    pub ledger: Ledger,
    /// What changes at every refresh.
    pub hot: Arc<dyn HotState>,
    /// What this instance remembers of the ledger; the change feed keeps it true.
    pub memory: Memory,
}

impl Store {
    /// The stores, with an empty memory.
    #[must_use]
    pub fn new(ledger: Ledger, hot: Arc<dyn HotState>) -> Self {
        Self { ledger, hot, memory: Memory::default() }
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
}
