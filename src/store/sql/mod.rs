//! The database in PostgreSQL or SQLite, which holds the durable state. It has one file per noun. Only this folder uses
//! `sqlx`.
//!
//! One SQL text serves both engines: columns are `bigint`, `text` and `bytea`/`blob`, placeholders are `$1`. Every
//! change to a user, client, key or session end writes its feed row and its audit entry in the same transaction. The
//! commit applies the changes that it wrote into the feed to this instance's cache; callers do not. For two changes the
//! caller writes the audit entry afterwards: a raised `not_before`, and the end of many sessions.

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

#[derive(Clone)]
pub struct Database {
    /// Commits are on disk before they are acknowledged.
    db: Db,
    /// The connections of the embedded ephemeral store. On SQLite, commits reach the disk a little later (`connect.rs`
    /// says why that is enough). On PostgreSQL this is the same as `db`.
    quick: Db,
    /// The connection that listens for changes of other instances (PostgreSQL only).
    listening: Option<PgPool>,
}

impl Database {
    /// Opens the pool, and creates the SQLite file and its folder if they are missing. Does not migrate.
    pub async fn connect(settings: &DatabaseSettings) -> Result<Self, StoreError> {
        let (db, quick) = connect::open(settings).await?;
        let listening = match db.dialect() {
            Dialect::Postgres => Some(connect::listening(&settings.url)?),
            Dialect::Sqlite => None,
        };
        Ok(Self { db, quick, listening })
    }

    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.db.dialect()
    }

    /// Returns this instance's cache of the database. Reads of `Database` bypass it; those of [`Store`](super::Store)
    /// use it.
    #[must_use]
    pub fn memory(&self) -> Arc<Memory> {
        Arc::clone(self.db.memory())
    }

    pub async fn ping(&self) -> Result<(), StoreError> {
        self.db.read(query("select 1")).await.map(drop)
    }

    /// Returns the number of SQL statements run since the start. A test uses it to prove that the refresh path runs
    /// none.
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
