//! The keyring: generate, load, seal, rotate, publish, sign. The home of jsonwebtoken, rsa and aws-lc-rs' key pairs.
//!
//! Private keys live sealed in the database (`store/sql/keys.rs`); here they are opened once and kept ready to sign.

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

/// A key as people see it.
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

/// Why keys were not rotated.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// The next key has not been published long enough.
    #[error(
        "the next {algorithm} key is ripe at {ripe_at}; rotate then, or now with --now, and some verifiers will not know it yet"
    )]
    Unripe {
        /// Which key.
        algorithm: SigningAlgorithm,
        /// When it is.
        ripe_at: Timestamp,
    },
    /// A store failed.
    #[error(transparent)]
    Failed(#[from] Error),
}

/// Whether an unripe key may begin to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ripeness {
    /// Only a ripe key.
    Required,
    /// Also an unripe one: verifiers that cache the JWKS may refuse tokens until they fetch it again.
    Ignored,
}

/// The keyring of one running instance.
pub struct Keyring {
    records: Records,
    ring: RwLock<Arc<Ring>>,
    /// When the database was read last, in milliseconds since the epoch.
    read_at: AtomicI64,
    /// Held while the ring is being replaced, so that an older list never takes the position of a newer one.
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

    /// The claims of a refresh token whose signature and `typ` are good. Nothing else is checked.
    #[must_use]
    pub fn open_refresh<T: serde::de::DeserializeOwned>(&self, token: &str) -> Option<T> {
        refresh::open(self.records.master_keys.both().map(|key| &key.refresh), token)
    }

    /// A 16-byte value that only this server can derive from `label` and `text` (HMAC-SHA-256).
    #[must_use]
    pub fn derive(&self, label: &'static str, text: &[u8]) -> [u8; 16] {
        self.records.master_keys.current.derive(label, text)
    }

    /// The published keys, ready to serve.
    #[must_use]
    pub fn jwks(&self) -> Arc<Jwks> {
        Arc::clone(&self.ring().jwks)
    }

    /// The published keys, ready to verify with.
    #[must_use]
    pub fn verifying_keys(&self) -> Arc<KeySet> {
        Arc::clone(&self.ring().verifying)
    }

    /// Algorithms that can sign now.
    #[must_use]
    pub fn algorithms(&self) -> Vec<SigningAlgorithm> {
        self.ring().algorithms()
    }

    /// Whether there is a signing key and the database has been read within 24 h.
    #[must_use]
    pub fn can_sign(&self) -> bool {
        !self.is_stale() && !self.ring().algorithms().is_empty()
    }

    /// Reads the database again (the change feed said so, or a minute has passed).
    pub async fn reload(&self) -> Result<(), Error> {
        let _turn = self.turn.lock().await;
        let started = self.records.clock.now();
        let list = self.records.database.signing_keys().await?;
        self.adopt(&list, started)
    }

    /// Makes missing next keys, activates ripe ones that are due, removes retired ones whose time is over.
    pub async fn maintain(&self) -> Result<(), Error> {
        self.change(Actor::System, |draft: &mut Draft<'_>| draft.maintain()).await?;
        Ok(())
    }

    /// Makes the next key of every configured algorithm sign, or of none. Returns the keys that sign then.
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

    /// Takes a key out of the JWKS at once; tokens that it signed are refused wherever the JWKS is read again.
    /// `false`: no such key, or it was removed before.
    pub async fn remove(&self, kid: &str, actor: Actor) -> Result<bool, Error> {
        self.change(actor, |draft: &mut Draft<'_>| draft.remove(kid)).await
    }

    /// Imports a private key in PEM form (PKCS#8, PKCS#1, SEC1); it enters as *next*. A key that is there already is
    /// left as it is, and one that was removed is refused.
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

    /// All keys, removed ones too.
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

/// Says which keys sign, and nothing of what is secret.
impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring").field("algorithms", &self.algorithms()).finish_non_exhaustive()
    }
}
