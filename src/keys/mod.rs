//! The keyring: generates, loads, seals, rotates, publishes and signs. The only module of the server that uses
//! jsonwebtoken, rsa and aws-lc-rs key pairs.
//!
//! Private keys are sealed in the database (`store/sql/keys.rs`). This module opens them once and keeps them ready to
//! sign.
//!
//! # Master key
//!
//! The master key is 32 random bytes, from `keys/master.key` or the environment. HKDF derives everything else from it:
//! the key that seals signing keys, the key that signs refresh tokens and its `kid`, the key from which identifiers are
//! derived, and a check value in the database by which a wrong master key is refused by name. A master key is generated
//! only for an empty SQLite database.
//!
//! # Signing keys
//!
//! Signing keys are sealed with AES-256-GCM and bound to their `kid`, which is the RFC 7638 thumbprint.
//!
//! | state | meaning | until |
//! |---|---|---|
//! | *next* | published, signs nothing | it is ripe and due, or `keys rotate` |
//! | *active* | signs; one for each algorithm | the next key takes over |
//! | *retired* | published, so that what it signed still verifies | 48 h after it stopped signing |
//! | *removed* | not published, never imported again; its row has no private key | (final) |
//!
//! - A key is **ripe** when it has been published for `keys.jwks_max_age` + 60 s, and **due** after
//!   `keys.rotate_every`.
//! - The 48 h of a retired key are 24 h in which an instance that is cut off may go on signing, and 24 h, the longest
//!   lifetime of an access token.
//! - All instances change the list under a lock of the database and decide on the list that they read under it, so any
//!   number of them may maintain it at once.
//! - An instance that has not read the database for 24 h stops signing.
//! - An imported key enters as *next*, or as *active* where its algorithm is configured and has no active key yet.

mod files;
mod generate;
mod import;
mod jwks;
mod master_key;
mod open;
mod open_error;
mod prepared;
mod records;
mod refresh;
mod ring;
mod schedule;
mod seal;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use serde::Serialize;
use tokenhouse_verifier::KeySet;

use crate::audit::Actor;
use crate::clock::Timestamp;
use crate::error::{Error, Internal};
use crate::model::{KeyState, SigningAlgorithm, SigningKeyRecord};
use crate::protocol::TokenType;

pub use files::WriteOutcome;
pub use jwks::Jwks;
pub use master_key::{make_master_key, write_master_key};
pub use open_error::OpenError;
use records::Records;
use ring::{OpenedKeys, Ring};
use schedule::{Draft, Entry, Rules, STALE_AFTER};

#[derive(Debug, Clone, Serialize)]
pub struct KeySummary {
    pub kid: String,
    pub algorithm: SigningAlgorithm,
    pub state: KeyState,
    pub published_at: Timestamp,
    /// When a *next* key may begin to sign.
    pub ripe_at: Option<Timestamp>,
    pub activated_at: Option<Timestamp>,
    pub retired_at: Option<Timestamp>,
    pub removed_at: Option<Timestamp>,
}

#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    #[error(
        "the next {algorithm} key is ripe at {ripe_at}; rotate then, or now with --now, and some verifiers will not know it yet"
    )]
    Unripe {
        algorithm: SigningAlgorithm,
        /// When the last of the next keys is ripe.
        ripe_at: Timestamp,
    },
    #[error(transparent)]
    Failed(#[from] Error),
}

/// Whether an unripe key may begin to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ripeness {
    Required,
    /// Permits an unripe key. Verifiers that cache the JWKS may refuse its tokens until they fetch the JWKS again.
    Ignored,
}

pub struct Keyring {
    records: Records,
    ring: RwLock<Arc<Ring>>,
    /// When the database was read last, in milliseconds since the epoch.
    read_at: AtomicI64,
    /// Held while the ring is replaced, so that an older list never replaces a newer one.
    turn: tokio::sync::Mutex<()>,
}

impl Keyring {
    fn new(records: Records, ring: Ring, read_at: Timestamp) -> Self {
        Self {
            records,
            ring: RwLock::new(Arc::new(ring)),
            read_at: AtomicI64::new(read_at.millis()),
            turn: tokio::sync::Mutex::new(()),
        }
    }

    /// Signs `claims` as a compact JWS with the active key of `algorithm` and the header `typ`.
    pub fn sign<T: Serialize>(&self, algorithm: SigningAlgorithm, typ: TokenType, claims: &T) -> Result<String, Error> {
        if self.is_stale() {
            return Err(Error::unavailable("the keyring, not read from the database for 24 h, does not sign"));
        }
        let ring = self.ring();
        let key = ring
            .signer(algorithm)
            .ok_or_else(|| Internal::inconsistent(format!("there is no {algorithm} key to sign with")))?;
        Ok(key.sign(typ, claims)?)
    }

    /// Signs a refresh token: HS256 under a key derived from the master key, `typ: rt+jwt`. The same claims give the
    /// same token, byte for byte.
    pub fn sign_refresh<T: Serialize>(&self, claims: &T) -> Result<String, Error> {
        let unwritable = |error| Internal::new("claims cannot be written", error);
        Ok(self.records.master_keys.current.refresh.sign(claims).map_err(unwritable)?)
    }

    /// Returns the claims of a refresh token whose signature and `typ` are valid. Nothing else is checked.
    #[must_use]
    pub fn open_refresh<T: serde::de::DeserializeOwned>(&self, token: &str) -> Option<T> {
        refresh::open(self.records.master_keys.both().map(|key| &key.refresh), token)
    }

    /// Derives a 16-byte value that only this server can derive from `label` and `text` (HMAC-SHA-256).
    #[must_use]
    pub fn derive(&self, label: &'static str, text: &[u8]) -> [u8; 16] {
        self.records.master_keys.current.derive(label, text)
    }

    #[must_use]
    pub fn jwks(&self) -> Arc<Jwks> {
        Arc::clone(&self.ring().jwks)
    }

    #[must_use]
    pub fn verifying_keys(&self) -> Arc<KeySet> {
        Arc::clone(&self.ring().verifying)
    }

    #[must_use]
    pub fn algorithms(&self) -> Vec<SigningAlgorithm> {
        self.ring().algorithms()
    }

    /// Whether there is an active key and the database was read within 24 h.
    #[must_use]
    pub fn can_sign(&self) -> bool {
        !self.is_stale() && !self.ring().algorithms().is_empty()
    }

    /// Reads the keys from the database again. It is called when the change feed reports a change, and at least each
    /// minute.
    pub async fn reload(&self) -> Result<(), Error> {
        let _turn = self.turn.lock().await;
        let started = self.records.clock.now();
        let list = self.records.database.signing_keys().await?;
        self.adopt(&list, started)
    }

    /// Generates missing next keys, activates ripe ones that are due, and removes retired ones whose time is over.
    pub async fn maintain(&self) -> Result<(), Error> {
        self.change(Actor::System, |draft: &mut Draft<'_>| draft.maintain()).await?;
        Ok(())
    }

    /// Activates the next key of every configured algorithm, or of none. Returns the keys that are active then.
    pub async fn rotate(&self, ripeness: Ripeness, actor: Actor) -> Result<Vec<KeySummary>, RotateError> {
        let step = |draft: &mut Draft<'_>| match draft.unripe() {
            Some(unripe) if ripeness == Ripeness::Required => Err(unripe),
            _ => {
                draft.rotate_all();
                Ok(draft.records().to_vec())
            }
        };
        match self.change(actor, step).await? {
            Ok(list) => Ok(self.summaries(list.iter().filter(|record| record.state == KeyState::Active))),
            Err((algorithm, ripe_at)) => Err(RotateError::Unripe { algorithm, ripe_at }),
        }
    }

    /// Removes a key from the JWKS at once. Verifiers refuse the tokens that it signed once they read the JWKS again.
    /// Returns `false` where there is no such key, or it was removed before.
    pub async fn remove(&self, kid: &str, actor: Actor) -> Result<bool, Error> {
        self.change(actor, |draft: &mut Draft<'_>| draft.remove(kid)).await
    }

    /// Imports a private key in PEM form (PKCS#8, PKCS#1, SEC1). It enters as *next*, or as *active* where its
    /// algorithm is configured and lacks an active key. A known key is left as it is, and a removed one is refused.
    pub async fn import(&self, pem: &str, actor: Actor) -> Result<KeySummary, Error> {
        let key = import::parse(pem, self.records.rules.rsa())
            .map_err(|refusal| Error::invalid_request(format!("the text {refusal}")))?;
        let row = self.records.sealed(&key).await?;
        let step = |draft: &mut Draft<'_>| {
            let entry = draft.import(row.clone());
            if draft.lacks_signer() {
                draft.fill_all();
            }
            (entry, draft.records().iter().find(|record| record.kid == row.kid).cloned())
        };
        match self.change(actor, step).await? {
            (Entry::New | Entry::Known, Some(record)) => Ok(KeySummary::of(&record, &self.records.rules)),
            (Entry::Removed, _) => Err(Error::invalid_request("this key was removed and is never taken again")),
            (_, None) => Err(Internal::inconsistent("an imported key is not in the list").into()),
        }
    }

    /// Lists all keys, including removed ones.
    pub async fn list(&self) -> Result<Vec<KeySummary>, Error> {
        Ok(self.summaries(&self.records.database.signing_keys().await?))
    }

    async fn change<R, S>(&self, actor: Actor, step: S) -> Result<R, Error>
    where
        S: Fn(&mut Draft<'_>) -> R + Send + Sync,
        R: Send,
    {
        let _turn = self.turn.lock().await;
        let started = self.records.clock.now();
        let (outcome, list) = self.records.change(actor, step).await?;
        self.adopt(&list, started)?;
        Ok(outcome)
    }

    fn adopt(&self, list: &[SigningKeyRecord], read_at: Timestamp) -> Result<(), Error> {
        let OpenedKeys { ring, unopened } = Ring::open(list, &self.records.master_keys, Some(&self.ring()))?;
        for kid in unopened {
            tracing::error!(kid, "a signing key does not open under this instance's master key and is left out");
        }
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
        self.read_at.store(read_at.millis(), Ordering::Relaxed);
        Ok(())
    }

    fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn is_stale(&self) -> bool {
        let read_at = Timestamp::from_millis(self.read_at.load(Ordering::Relaxed));
        self.records.clock.now().since(read_at) > STALE_AFTER
    }

    fn summaries<'a>(&self, list: impl IntoIterator<Item = &'a SigningKeyRecord>) -> Vec<KeySummary> {
        list.into_iter().map(|record| KeySummary::of(record, &self.records.rules)).collect()
    }
}

impl KeySummary {
    fn of(record: &SigningKeyRecord, rules: &Rules) -> Self {
        Self {
            kid: record.kid.clone(),
            algorithm: record.algorithm,
            state: record.state,
            published_at: record.published_at,
            ripe_at: (record.state == KeyState::Next).then(|| rules.ripe_at(record)),
            activated_at: record.activated_at,
            retired_at: record.retired_at,
            removed_at: record.removed_at,
        }
    }
}

/// Shows which algorithms can sign, and no secret.
impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("algorithms", &self.algorithms()).finish_non_exhaustive()
    }
}
