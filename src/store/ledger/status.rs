//! Places in the status lists, leased in blocks and never given out twice.

use std::ops::Range;

use super::Ledger;
use crate::store::StoreError;

impl Ledger {
    /// Leases the next `count` places.
    pub async fn lease_status_indexes(&self, count: u32) -> Result<Range<i64>, StoreError> {
        let _ = count;
        todo!()
    }
}
