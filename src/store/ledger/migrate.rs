//! Brings the schema up. Safe when many instances start at once; a schema newer than this program is refused.

use super::Ledger;
use crate::store::StoreError;

/// What `migrate` did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// Names of the migrations that were applied now, oldest first.
    pub applied: Vec<String>,
    /// The schema's version now.
    pub version: i64,
}

impl Ledger {
    /// Applies the migrations that are missing.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the schema is newer than this program or an applied migration was changed.
    pub async fn migrate(&self) -> Result<Migrated, StoreError> {
        todo!()
    }

    /// Refuses to go on unless the schema is exactly the one this program knows.
    pub async fn check_schema(&self) -> Result<(), StoreError> {
        todo!()
    }
}
