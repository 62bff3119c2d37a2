//! The ledger: what must outlive everything, in PostgreSQL or SQLite. One file a noun; only this folder knows sqlx.
//!
//! One SQL text serves both databases: columns are `bigint`, `text` and `bytea`/`blob`, placeholders are `$1`.
//! Every change to a user, client, key or session end writes its feed row and its audit entry in the same transaction.

pub mod audit;
pub mod clients;
pub mod feed;
pub mod hot;
pub mod keys;
pub mod meta;
pub mod migrate;
pub mod sessions;
pub mod status;
pub mod users;

use std::time::Duration;

use super::StoreError;

/// Which database holds the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// PostgreSQL.
    Postgres,
    /// SQLite, in a file.
    Sqlite,
}

/// Settings of the connection pool.
#[derive(Debug, Clone)]
pub struct LedgerSettings {
    /// `postgres://…` or `sqlite://path`.
    pub url: String,
    /// The most connections.
    pub max_connections: u32,
    /// How long a request waits for a connection.
    pub acquire_timeout: Duration,
    /// How long one statement may take.
    pub statement_timeout: Duration,
}

/// The ledger.
#[derive(Clone)]
pub struct Ledger {
    _pool: (),
}

impl Ledger {
    /// Opens the pool; makes the SQLite file (and its folder) where there is none. It does not migrate.
    pub async fn connect(settings: &LedgerSettings) -> Result<Self, StoreError> {
        let _ = settings;
        todo!()
    }

    /// Which database this is.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        todo!()
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        todo!()
    }

    /// SQL statements run since the start (a test proves with it that the refresh path runs none).
    #[must_use]
    pub fn statements(&self) -> u64 {
        todo!()
    }

    /// Closes the pool once running statements are done.
    pub async fn close(&self) {
        todo!()
    }
}
