//! The keyring: generate, load, seal, rotate, publish, sign. The home of jsonwebtoken, rsa and aws-lc-rs' key pairs.
//!
//! Private keys live sealed in the ledger (`store/ledger/keys.rs`); here they are opened once and kept ready to sign.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokenhouse_verifier::KeySet;

use crate::audit::Actor;
use crate::clock::{Clock, Random, Timestamp};
use crate::config;
use crate::model::{KeyState, SigningAlgorithm};
use crate::protocol::{Internal, OAuthError};
use crate::store::Ledger;

/// The published keys, ready to serve.
#[derive(Debug)]
pub struct Jwks {
    /// The JWKS document (RFC 7517 section 5).
    pub body: String,
    /// Its strong entity tag, with quotes.
    pub etag: String,
}

/// A key as people see it.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
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
    Failed(#[from] OAuthError),
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
pub struct Keyring {}

/// Why the keyring could not be opened; each message names the file or variable and the fix.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct OpenError(pub String);

impl Keyring {
    /// Finds or makes the master key, opens every key of the ledger, imports PEM files of the folder, makes what is
    /// missing, and publishes.
    pub async fn open(
        settings: &config::Keys,
        longest_life: Duration,
        ledger: Ledger,
        clock: Clock,
        random: Random,
    ) -> Result<Self, OpenError> {
        let _ = (settings, longest_life, ledger, clock, random);
        todo!()
    }

    /// Signs `claims` as a compact JWS with the active key of `algorithm` and the header `typ`.
    pub fn sign<T: Serialize>(&self, algorithm: SigningAlgorithm, typ: &str, claims: &T) -> Result<String, OAuthError> {
        let _ = (algorithm, typ, claims);
        todo!()
    }

    /// Signs a refresh token: HS256 under a key derived from the master key, `typ: rt+jwt`.
    pub fn sign_refresh<T: Serialize>(&self, claims: &T) -> Result<String, OAuthError> {
        let _ = claims;
        todo!()
    }

    /// The claims of a refresh token whose signature and `typ` are good. Nothing else is checked.
    #[must_use]
    pub fn open_refresh<T: serde::de::DeserializeOwned>(&self, token: &str) -> Option<T> {
        let _ = token;
        todo!()
    }

    /// A 16-byte value that only this house can derive from `label` and `text` (HMAC-SHA-256).
    #[must_use]
    pub fn derive(&self, label: &'static str, text: &[u8]) -> [u8; 16] {
        let _ = (label, text);
        todo!()
    }

    /// The published keys, ready to serve.
    #[must_use]
    pub fn jwks(&self) -> Arc<Jwks> {
        todo!()
    }

    /// The published keys, ready to verify with.
    #[must_use]
    pub fn verifying_keys(&self) -> Arc<KeySet> {
        todo!()
    }

    /// Algorithms that can sign now.
    #[must_use]
    pub fn algorithms(&self) -> Vec<SigningAlgorithm> {
        todo!()
    }

    /// Whether there is a signing key and the ledger has been read within 24 h.
    #[must_use]
    pub fn can_sign(&self) -> bool {
        todo!()
    }

    /// Reads the ledger again (the change feed said so, or a minute has passed).
    pub async fn reload(&self) -> Result<(), OAuthError> {
        todo!()
    }

    /// Makes missing next keys, activates ripe ones that are due, removes retired ones whose time is over.
    pub async fn tend(&self) -> Result<(), OAuthError> {
        todo!()
    }

    /// Makes the next key of every algorithm sign.
    pub async fn rotate(&self, ripeness: Ripeness, actor: Actor) -> Result<Vec<KeySummary>, RotateError> {
        let _ = (ripeness, actor);
        todo!()
    }

    /// Takes a key out of the JWKS at once; tokens that it signed are refused wherever the JWKS is read again.
    /// `false`: no such key, or it was removed before.
    pub async fn remove(&self, kid: &str, actor: Actor) -> Result<bool, OAuthError> {
        let _ = (kid, actor);
        todo!()
    }

    /// Imports a private key in PEM form (PKCS#8, PKCS#1, SEC1); it enters as *next*.
    pub async fn import(&self, pem: &str, actor: Actor) -> Result<KeySummary, OAuthError> {
        let _ = (pem, actor);
        todo!()
    }

    /// All keys, removed ones too.
    pub async fn list(&self) -> Result<Vec<KeySummary>, OAuthError> {
        let _: Option<Internal> = None;
        todo!()
    }
}
