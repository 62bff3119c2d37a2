//! Signing keys, sealed.

use super::Ledger;
use crate::audit::AuditEntry;
use crate::model::SigningKeyRecord;
use crate::store::StoreError;

/// One step of a change to the keyring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyChange {
    /// A new key.
    Insert(SigningKeyRecord),
    /// The row of this `kid` as it shall be.
    Update(SigningKeyRecord),
}

/// A change to the keyring and what the audit says of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyringChange {
    /// The rows to write.
    pub changes: Vec<KeyChange>,
    /// What happened.
    pub entries: Vec<AuditEntry>,
}

impl Ledger {
    /// All keys, removed ones too, in the order of their publication.
    pub async fn signing_keys(&self) -> Result<Vec<SigningKeyRecord>, StoreError> {
        todo!()
    }

    /// Reads all keys under a lock that every instance respects (the feed head's row), lets `decide` choose the
    /// change, writes it with one feed row (none when nothing changes), and returns the keys as they are then.
    pub async fn change_keyring<D>(&self, decide: D) -> Result<Vec<SigningKeyRecord>, StoreError>
    where
        D: FnOnce(&[SigningKeyRecord]) -> KeyringChange + Send,
    {
        let _ = decide;
        todo!()
    }
}
