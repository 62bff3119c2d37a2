//! Facts about the whole house: the master key's check value and the global watermark.

use super::Ledger;
use crate::clock::Timestamp;
use crate::store::StoreError;

impl Ledger {
    /// The value with which a master key can be recognised; `None` on an empty ledger.
    pub async fn master_key_check(&self) -> Result<Option<Vec<u8>>, StoreError> {
        todo!()
    }

    /// Puts `new` in the place of exactly `old`. `false`: somebody was faster.
    pub async fn set_master_key_check(&self, old: Option<&[u8]>, new: &[u8]) -> Result<bool, StoreError> {
        let _ = (old, new);
        todo!()
    }

    /// Sessions and tokens that began before this moment are over, everywhere.
    pub async fn global_watermark(&self) -> Result<Timestamp, StoreError> {
        todo!()
    }

    /// Raises the global watermark to `at` (never lowers it), with a feed row.
    pub async fn raise_global_watermark(&self, at: Timestamp) -> Result<(), StoreError> {
        let _ = at;
        todo!()
    }
}
