//! The database: what must outlive everything, in PostgreSQL or SQLite. One file a noun; only this folder knows sqlx.
//!
//! One SQL text serves both databases: columns are `bigint`, `text` and `bytea`/`blob`, placeholders are `$1`.
//! Every change to a user, client, key or session end writes its feed row and its audit entry in the same transaction.
//! The commit applies what it has written into the feed to this instance's memory: no caller does.
//! Two changes have their entry from the caller, afterwards: a `not_before` that rises, and the end of many sessions.

pub mod admission;
pub mod audit;
pub mod clients;
mod columns;
mod connect;
pub mod consents;
mod db;
mod failed;
pub mod feed;
mod filter;
pub mod ephemeral;
pub mod keys;
pub mod browser_sessions;
pub mod backchannel_logouts;
pub mod metadata;
pub mod migrate;
pub mod notify;
pub mod retention;
pub mod revoked_indexes;
pub mod sessions;
mod settings;
pub mod status;
mod last_use;
pub mod users;

use std::sync::Arc;

use sqlx::PgPool;

use self::db::{Db, query};
use super::StoreError;
use super::memory::Memory;

pub use settings::{DatabaseSettings, Dialect};

/// The database.
#[derive(Clone)]
pub struct Database {
    /// Commits are on disk before they are acknowledged.
    db: Db,
    /// For the embedded ephemeral store: on SQLite, commits reach the disk a little later (`connect.rs` says why that
    /// is enough); on PostgreSQL the same as `db`.
    quick: Db,
    /// On PostgreSQL, hears what other instances change.
    listening: Option<PgPool>,
}

impl Database {
    /// Opens the pool; makes the SQLite file (and its folder) where there is none. It does not migrate.
    pub async fn connect(settings: &DatabaseSettings) -> Result<Self, StoreError> {
        let (db, quick) = connect::open(settings).await?;
        let listening = match db.dialect() {
            Dialect::Postgres => Some(connect::listening(&settings.url)?),
            Dialect::Sqlite => None,
        };
        Ok(Self { db, quick, listening })
    }

    /// Which database this is.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.db.dialect()
    }

    /// What this instance remembers of the database. Reads here do not use it; [`Store`](super::Store)'s do.
    #[must_use]
    pub fn memory(&self) -> Arc<Memory> {
        Arc::clone(self.db.memory())
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.db.read(query("select 1")).await.map(drop)
    }

    /// SQL statements run since the start (a test proves with it that the refresh path runs none).
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.db.statements()
    }

    /// Closes the pool once running statements are done.
    pub async fn close(&self) {
        self.quick.close().await;
        self.db.close().await;
    }
}
