//! The opened keys of one reading of the database: those that sign, those that are published, those that verify.

use std::collections::HashMap;
use std::sync::Arc;

use tokenhouse_verifier::KeySet;

use super::jwks::Jwks;
use super::master_key::MasterKeys;
use super::prepared::PreparedKey;
use crate::error::Internal;
use crate::model::{KeyState, SigningAlgorithm, SigningKeyRecord};

/// An immutable set of opened keys. A new ring replaces it.
pub(super) struct Ring {
    keys: HashMap<String, Arc<PreparedKey>>,
    active: Vec<Arc<PreparedKey>>,
    pub(super) jwks: Arc<Jwks>,
    pub(super) verifying: Arc<KeySet>,
}

/// A ring, and the `kid`s of the keys that did not open and are left out.
pub(super) struct OpenedKeys {
    pub(super) ring: Ring,
    pub(super) unopened: Vec<String>,
}

impl Ring {
    /// Opens the keys that `previous` does not contain. A key that does not open is not published either: an attacker
    /// who can write into the database, but has no master key, cannot add a key that verifiers accept.
    pub(super) fn open(
        records: &[SigningKeyRecord],
        master_keys: &MasterKeys,
        previous: Option<&Self>,
    ) -> Result<OpenedKeys, Internal> {
        let mut published: Vec<_> = records.iter().filter(|record| record.state != KeyState::Removed).collect();
        published.sort_by(|a, b| (a.published_at, &a.kid).cmp(&(b.published_at, &b.kid)));
        let mut keys = Vec::with_capacity(published.len());
        let mut active = Vec::new();
        let mut unopened = Vec::new();
        for record in published {
            let known = previous.and_then(|ring| ring.keys.get(&record.kid)).cloned();
            let Some(key) = known.or_else(|| open_one(record, master_keys)) else {
                unopened.push(record.kid.clone());
                continue;
            };
            if record.state == KeyState::Active {
                active.push(Arc::clone(&key));
            }
            keys.push(key);
        }
        let jwks = Jwks::of(keys.iter().map(|key| key.jwk()))
            .map_err(|error| Internal::new("the JWKS cannot be written", error))?;
        let verifying = KeySet::from_jwks(&jwks.body)
            .map_err(|error| Internal::new("the JWKS is not one that a verifier takes", error))?;
        let keys = keys.into_iter().map(|key| (key.kid().to_owned(), key)).collect();
        active.sort_by_key(|key| key.algorithm());
        let ring = Self { keys, active, jwks: Arc::new(jwks), verifying: Arc::new(verifying) };
        Ok(OpenedKeys { ring, unopened })
    }

    pub(super) fn signer(&self, algorithm: SigningAlgorithm) -> Option<&Arc<PreparedKey>> {
        self.active.iter().find(|key| key.algorithm() == algorithm)
    }

    /// Lists the algorithms that have an active key, in the order of [`SigningAlgorithm::ALL`].
    pub(super) fn algorithms(&self) -> Vec<SigningAlgorithm> {
        self.active.iter().map(|key| key.algorithm()).collect()
    }
}

fn open_one(record: &SigningKeyRecord, master_keys: &MasterKeys) -> Option<Arc<PreparedKey>> {
    let pkcs8 = master_keys.open(record)?;
    let key = PreparedKey::parse(record.algorithm, &pkcs8).ok()?;
    // The `kid` alone is compared: the row's algorithm is not sealed, and another one for the same key would be a
    // server error.
    (key.kid() == record.kid).then(|| Arc::new(key))
}
