//! When sessions and browser sessions were last used: many small writes, a few at a time.

use std::fmt::Display;

use super::Database;
use super::db::query;
use crate::clock::Timestamp;
use crate::store::StoreError;

/// How many rows are touched in one transaction.
const RECORDED_AT_ONCE: usize = 200;

impl Database {
    /// Runs `statement` for each identifier and time, in the order of the identifiers: that in which whoever ends many
    /// of them locks them, so that the two never wait for each other.
    pub(super) async fn record_use<I>(&self, statement: &'static str, used: &[(I, Timestamp)]) -> Result<(), StoreError>
    where
        I: Copy + Ord + Display + Send + Sync,
    {
        let mut used = used.to_vec();
        used.sort_unstable();
        for some in used.chunks(RECORDED_AT_ONCE) {
            let mut work = self.db.begin().await?;
            for (id, at) in some {
                work.write(query(statement).bind(id.to_string()).bind(at.millis())).await?;
            }
            work.commit().await?;
        }
        Ok(())
    }
}
