//! The list of keys in the database, and the only function that changes it.

use super::generate::generate;
use super::master_key::{MasterKey, MasterKeys};
use super::prepared::{PreparedKey, PrivateKey};
use super::schedule::{Draft, Rules};
use crate::audit::{Actor, AuditEntry, AuditEvent};
use crate::clock::{Clock, Random, Timestamp};
use crate::error::{Error, Internal};
use crate::model::{KeyState, SigningAlgorithm, SigningKeyRecord};
use crate::store::Database;
use crate::store::sql::keys::KeyringChange;

/// The most rounds of generating keys: one new key may call for another (one to sign, one to be next).
const ROUNDS: usize = 4;

pub(super) struct Records {
    pub(super) rules: Rules,
    pub(super) database: Database,
    pub(super) clock: Clock,
    pub(super) random: Random,
    pub(super) master_keys: MasterKeys,
}

impl Records {
    /// Changes the list by calling `step` twice.
    ///
    /// The first call works on the list as it was read, and shows which new keys are needed, because generating them
    /// takes long. The second call works on the list under the database's lock, and its result is stored. Concurrent
    /// changes of several instances are thereby serialized, and a key that is no longer needed is dropped.
    ///
    /// Returns the result of `step` and the changed list.
    pub(super) async fn change<R, S>(&self, actor: Actor, step: S) -> Result<(R, Vec<SigningKeyRecord>), Error>
    where
        S: Fn(&mut Draft<'_>) -> R + Send + Sync,
        R: Send,
    {
        let records = self.database.signing_keys().await?;
        let mut candidates = Vec::new();
        for _ in 0..ROUNDS {
            let mut draft = Draft::new(&self.rules, self.clock.now(), &records, candidates.clone());
            let outcome = step(&mut draft);
            let missing = draft.missing().to_vec();
            let (changes, _) = draft.finish();
            match (missing.is_empty(), changes.is_empty()) {
                (true, true) => return Ok((outcome, records)),
                (true, false) => break,
                (false, _) => candidates.extend(self.new_keys(&missing).await?),
            }
        }
        let mut outcome = None;
        let decide = |records: &[SigningKeyRecord]| {
            let now = self.clock.now();
            let mut draft = Draft::new(&self.rules, now, records, candidates);
            outcome = Some(step(&mut draft));
            let (changes, events) = draft.finish();
            KeyringChange { changes, entries: self.entries(now, &actor, events) }
        };
        let records = self.database.change_keyring(decide).await?;
        let outcome =
            outcome.ok_or_else(|| Internal::inconsistent("the database changed the keyring without asking"))?;
        Ok((outcome, records))
    }

    pub(super) async fn sealed(&self, key: &PrivateKey) -> Result<SigningKeyRecord, Error> {
        let master_key = self.sealing_key().await?;
        Ok(self.row(key, master_key)?)
    }

    async fn new_keys(&self, algorithms: &[SigningAlgorithm]) -> Result<Vec<SigningKeyRecord>, Error> {
        let keys = generate(algorithms, &self.random).await?;
        let master_key = self.sealing_key().await?;
        let rows = keys.iter().map(|key| self.row(key, master_key)).collect::<Result<_, Internal>>()?;
        Ok(rows)
    }

    /// Returns the master key whose check value the database has. It is the previous one for a time while the master
    /// key is being changed.
    async fn sealing_key(&self) -> Result<&MasterKey, Error> {
        let check = self.database.master_key_check().await?.unwrap_or_default();
        let key = self.master_keys.of_check(&check).ok_or_else(|| {
            Internal::inconsistent(
                "the database is sealed under another master key now: start this instance again with it",
            )
        })?;
        Ok(key)
    }

    fn row(&self, key: &PrivateKey, master_key: &MasterKey) -> Result<SigningKeyRecord, Internal> {
        let prepared = PreparedKey::parse(key.algorithm, &key.pkcs8)?;
        let kid = prepared.kid().to_owned();
        let sealed = master_key
            .seal
            .close(&kid, &key.pkcs8, &self.random)
            .map_err(|error| Internal::new("a key was not sealed", error))?;
        let public_jwk = serde_json::to_string(prepared.jwk())
            .map_err(|error| Internal::new("a public key cannot be written", error))?;
        Ok(SigningKeyRecord {
            kid,
            algorithm: key.algorithm,
            state: KeyState::Next,
            sealed,
            public_jwk,
            published_at: self.clock.now(),
            activated_at: None,
            retired_at: None,
            removed_at: None,
        })
    }

    fn entries(&self, at: Timestamp, actor: &Actor, events: Vec<AuditEvent>) -> Vec<AuditEntry> {
        let entry = |event| AuditEntry { id: self.random.uuid_at(at), at, actor: actor.clone(), event };
        events.into_iter().map(entry).collect()
    }
}
