//! Audit entries.

use super::Ledger;
use crate::audit::{AuditEntry, AuditRecord};
use crate::model::{Page, PageRequest};
use crate::store::StoreError;

impl Ledger {
    /// Writes an entry that belongs to no other change.
    pub async fn record(&self, entry: &AuditEntry) -> Result<(), StoreError> {
        let _ = entry;
        todo!()
    }

    /// Entries, newest first; `after` is the identifier of the last one seen.
    pub async fn list_audit(&self, page: &PageRequest) -> Result<Page<AuditRecord>, StoreError> {
        let _ = page;
        todo!()
    }
}
