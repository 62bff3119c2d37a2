//! The embedded hot state: SQL tables and compare-and-set, for those who run no Redis.

use super::Ledger;
use crate::clock::Timestamp;

/// The hot state in the ledger's database.
#[derive(Clone)]
pub struct LedgerHot {}

impl LedgerHot {
    /// The hot state in the tables of `ledger`. On SQLite the time is this process's `clock`; PostgreSQL has its own.
    #[must_use]
    pub fn new(ledger: &Ledger, clock: crate::clock::Clock) -> Self {
        let _ = (ledger, clock, Timestamp::from_millis(0));
        todo!()
    }
}
