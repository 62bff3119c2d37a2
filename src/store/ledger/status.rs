//! Places in the status lists, leased in blocks and never given out twice.

use std::ops::Range;

use super::Ledger;
use super::columns::Columns;
use super::db::query;
use crate::store::StoreError;

impl Ledger {
    /// Leases the next `count` places.
    pub async fn lease_status_indexes(&self, count: u32) -> Result<Range<i64>, StoreError> {
        let lease = query(
            "update house
             set number = number + $1
             where fact = 'next_status_index'
             returning number",
        )
        .bind(i64::from(count));
        let row = self.db.write_one(lease).await?;
        let Some(row) = row else {
            return Err(StoreError::Corrupt("house next_status_index: the row is missing".to_owned()));
        };
        let end = Columns::of_only(&row, "house").number("number")?;
        Ok(end - i64::from(count)..end)
    }
}
