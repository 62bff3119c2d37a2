//! Writes when sessions and browser sessions were last used, in small batches.

use std::fmt::Display;

use super::Database;
use super::db::query;
use crate::clock::Timestamp;
use crate::store::StoreError;

/// The number of rows updated in one transaction.
const RECORDED_AT_ONCE: usize = 200;

impl Database {
    /// Runs `statement` for each identifier and time, in the order of the identifiers. Ending many sessions locks them
    /// in the same order, so the two cannot deadlock.
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
