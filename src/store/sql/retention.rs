//! Removal of old rows. Identifiers sort by time, so the oldest rows are found without a separate index.

use uuid::Uuid;

use super::Database;
use super::db::{Query, query};
use crate::clock::Timestamp;
use crate::store::StoreError;

/// The number of rows removed in one transaction: few enough that a sign-in does not wait for it.
const REMOVED_AT_ONCE: i64 = 1_000;

impl Database {
    /// Removes sessions that began and were over before `before`. Returns how many.
    pub async fn prune_sessions(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.remove_all(|| {
            query(
                "delete from sessions
                 where id in (
                     select id
                     from sessions
                     where id < $1
                     and ends_at < $2
                     order by id
                     limit $3
                 )",
            )
            .bind(Uuid::from(before).to_string())
            .bind(before.millis())
            .bind(REMOVED_AT_ONCE)
        })
        .await
    }

    /// Removes browser sessions that began and were over before `before`. Returns how many.
    pub async fn prune_browser_sessions(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.remove_all(|| {
            query(
                "delete from browser_sessions
                 where id in (
                     select id
                     from browser_sessions
                     where id < $1
                     and ends_at < $2
                     order by id
                     limit $3
                 )",
            )
            .bind(Uuid::from(before).to_string())
            .bind(before.millis())
            .bind(REMOVED_AT_ONCE)
        })
        .await
    }

    pub async fn prune_audit(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.remove_all(|| {
            query(
                "delete from audit
                 where id in (
                     select id
                     from audit
                     where id < $1
                     order by id
                     limit $2
                 )",
            )
            .bind(Uuid::from(before).to_string())
            .bind(REMOVED_AT_ONCE)
        })
        .await
    }

    async fn remove_all(&self, some: impl Fn() -> Query) -> Result<u64, StoreError> {
        let mut removed = 0;
        loop {
            let now = self.db.write(some()).await?;
            removed += now;
            if now == 0 {
                return Ok(removed);
            }
        }
    }
}
