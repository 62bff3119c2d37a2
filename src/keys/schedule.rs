//! Decides what happens to which key and when, on the list of keys alone: without a clock, a store or key material.

use std::time::Duration;

use crate::audit::AuditEvent;
use crate::clock::Timestamp;
use crate::config;
use crate::model::{KeyState, SigningAlgorithm, SigningKeyRecord};
use crate::store::sql::keys::KeyChange;

/// The longest that an instance may sign without reading the database.
pub(super) const STALE_AFTER: Duration = Duration::from_hours(24);

/// Added to the max-age of the JWKS, because a new key takes time to reach all instances, and clocks differ.
const MARGIN: Duration = Duration::from_mins(1);

#[derive(Debug, Clone)]
pub(super) struct Rules {
    /// Each of these has one *active* and at least one *next* key.
    pub(super) algorithms: Vec<SigningAlgorithm>,
    rotate_every: Duration,
    ripe_after: Duration,
    retired_for: Duration,
}

impl Rules {
    /// Reads the settings. `longest_lifetime` is that of a signed token.
    pub(super) fn new(settings: &config::Keys, longest_lifetime: Duration) -> Self {
        let mut algorithms = vec![settings.id_token_algorithm, settings.access_token_algorithm];
        algorithms.extend(&settings.additional_algorithms);
        algorithms.sort_unstable();
        algorithms.dedup();
        Self {
            algorithms,
            rotate_every: settings.rotate_every.get(),
            ripe_after: settings.jwks_max_age.get() + MARGIN,
            // An instance that missed the retirement may sign until it is stale.
            retired_for: STALE_AFTER + longest_lifetime,
        }
    }

    /// Returns the algorithm of an imported RSA key, which does not name one.
    pub(super) fn rsa(&self) -> SigningAlgorithm {
        let asks_for = |algorithm| self.algorithms.contains(&algorithm);
        if asks_for(SigningAlgorithm::Ps256) && !asks_for(SigningAlgorithm::Rs256) {
            SigningAlgorithm::Ps256
        } else {
            SigningAlgorithm::Rs256
        }
    }

    /// Returns when a key may begin to sign, because no verifier can still hold a JWKS without it.
    pub(super) fn ripe_at(&self, key: &SigningKeyRecord) -> Timestamp {
        key.published_at.plus(self.ripe_after)
    }

    fn due_at(&self, key: &SigningKeyRecord) -> Timestamp {
        key.activated_at.unwrap_or(key.published_at).plus(self.rotate_every)
    }
}

/// Returns the *next* key of an algorithm: the one published last, so that an imported key takes precedence over a
/// spare one.
pub(super) fn next_key(records: &[SigningKeyRecord], algorithm: SigningAlgorithm) -> Option<&SigningKeyRecord> {
    in_state(records, algorithm, KeyState::Next).max_by_key(|record| record.published_at)
}

fn in_state(
    records: &[SigningKeyRecord],
    algorithm: SigningAlgorithm,
    state: KeyState,
) -> impl Iterator<Item = &SigningKeyRecord> {
    records.iter().filter(move |record| record.algorithm == algorithm && record.state == state)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    New,
    Known,
    /// The key was removed before, and is never imported again.
    Removed,
}

pub(super) struct Draft<'a> {
    rules: &'a Rules,
    now: Timestamp,
    before: &'a [SigningKeyRecord],
    records: Vec<SigningKeyRecord>,
    candidates: Vec<SigningKeyRecord>,
    events: Vec<AuditEvent>,
    missing: Vec<SigningAlgorithm>,
}

impl<'a> Draft<'a> {
    /// Begins a change. `candidates` are new keys that are published where one is missing; the others are dropped.
    pub(super) fn new(
        rules: &'a Rules,
        now: Timestamp,
        before: &'a [SigningKeyRecord],
        candidates: Vec<SigningKeyRecord>,
    ) -> Self {
        Self { rules, now, before, records: before.to_vec(), candidates, events: Vec::new(), missing: Vec::new() }
    }

    pub(super) fn records(&self) -> &[SigningKeyRecord] {
        &self.records
    }

    /// The algorithms for which a candidate was needed and missing, one entry for each missing key.
    pub(super) fn missing(&self) -> &[SigningAlgorithm] {
        &self.missing
    }

    /// Returns the rows that differ, and the audit events in the order in which they happened.
    pub(super) fn finish(self) -> (Vec<KeyChange>, Vec<AuditEvent>) {
        let mut changes = Vec::new();
        for record in self.records {
            match self.before.iter().find(|old| old.kid == record.kid) {
                None => changes.push(KeyChange::Insert(record)),
                Some(old) if *old != record => changes.push(KeyChange::Update(record)),
                Some(_) => {}
            }
        }
        (changes, self.events)
    }

    /// Does everything that is due: publishes missing keys, rotates, and removes expired retired keys.
    pub(super) fn maintain(&mut self) {
        self.drop_expired();
        for &algorithm in &self.rules.algorithms {
            self.fill(algorithm);
            if self.is_due(algorithm) {
                self.rotate(algorithm);
            }
        }
    }

    /// Ensures that there is one active and one next key.
    pub(super) fn fill(&mut self, algorithm: SigningAlgorithm) {
        if in_state(&self.records, algorithm, KeyState::Active).next().is_none() {
            self.replace_active(algorithm);
        }
        if next_key(&self.records, algorithm).is_none() {
            self.publish_candidate(algorithm);
        }
    }

    pub(super) fn lacks_signer(&self) -> bool {
        let has_signer =
            |&algorithm: &SigningAlgorithm| in_state(&self.records, algorithm, KeyState::Active).next().is_some();
        !self.rules.algorithms.iter().all(has_signer)
    }

    pub(super) fn fill_all(&mut self) {
        for &algorithm in &self.rules.algorithms {
            self.fill(algorithm);
        }
    }

    /// Returns the configured algorithm whose next key is ripe last, and when, if any is not ripe yet.
    pub(super) fn unripe(&self) -> Option<(SigningAlgorithm, Timestamp)> {
        let next_keys = self.rules.algorithms.iter().map(|&algorithm| match next_key(&self.records, algorithm) {
            Some(key) => (algorithm, self.rules.ripe_at(key)),
            None => (algorithm, self.now.plus(self.rules.ripe_after)),
        });
        next_keys.filter(|(_, ripe_at)| *ripe_at > self.now).max_by_key(|(_, ripe_at)| *ripe_at)
    }

    /// Activates the next key of every configured algorithm, ripe or not.
    pub(super) fn rotate_all(&mut self) {
        for &algorithm in &self.rules.algorithms {
            self.fill(algorithm);
            self.rotate(algorithm);
        }
    }

    /// Removes a key at once and fills its state with another. Returns `false` where there is no such key, or it was
    /// removed before.
    pub(super) fn remove(&mut self, kid: &str) -> bool {
        let Some(index) = self.records.iter().position(|record| record.kid == kid) else { return false };
        if self.records[index].state == KeyState::Removed {
            return false;
        }
        self.wipe(index);
        let algorithm = self.records[index].algorithm;
        if self.rules.algorithms.contains(&algorithm) {
            self.fill(algorithm);
        }
        true
    }

    /// Publishes an imported key as *next*.
    pub(super) fn import(&mut self, key: SigningKeyRecord) -> Entry {
        match self.records.iter().find(|record| record.kid == key.kid) {
            Some(record) if record.state == KeyState::Removed => Entry::Removed,
            Some(_) => Entry::Known,
            None => {
                self.publish(key);
                Entry::New
            }
        }
    }

    fn is_due(&self, algorithm: SigningAlgorithm) -> bool {
        let active = in_state(&self.records, algorithm, KeyState::Active).next();
        let next = next_key(&self.records, algorithm);
        active.is_some_and(|key| self.rules.due_at(key) <= self.now)
            && next.is_some_and(|key| self.rules.ripe_at(key) <= self.now)
    }

    fn rotate(&mut self, algorithm: SigningAlgorithm) {
        let Some(kid) = next_key(&self.records, algorithm).map(|key| key.kid.clone()) else { return };
        self.activate(&kid);
        self.fill(algorithm);
    }

    /// Activates a key where none is active: the newest ripe next key, else the newest next key, else a candidate.
    fn replace_active(&mut self, algorithm: SigningAlgorithm) {
        let ripe = |key: &&SigningKeyRecord| self.rules.ripe_at(key) <= self.now;
        let best = in_state(&self.records, algorithm, KeyState::Next)
            .filter(ripe)
            .max_by_key(|key| key.published_at)
            .or_else(|| next_key(&self.records, algorithm));
        let kid = best.map(|key| key.kid.clone()).or_else(|| self.publish_candidate(algorithm));
        if let Some(kid) = kid {
            self.activate(&kid);
        }
    }

    fn publish_candidate(&mut self, algorithm: SigningAlgorithm) -> Option<String> {
        let Some(index) = self.candidates.iter().position(|candidate| candidate.algorithm == algorithm) else {
            self.missing.push(algorithm);
            return None;
        };
        let candidate = self.candidates.swap_remove(index);
        let kid = candidate.kid.clone();
        self.publish(candidate);
        Some(kid)
    }

    fn publish(&mut self, key: SigningKeyRecord) {
        self.events.push(AuditEvent::KeyPublished { kid: key.kid.clone() });
        self.records.push(SigningKeyRecord { state: KeyState::Next, published_at: self.now, ..key });
    }

    /// Activates the key and retires the one that was active for its algorithm.
    fn activate(&mut self, kid: &str) {
        let Some(index) = self.records.iter().position(|record| record.kid == kid) else { return };
        let algorithm = self.records[index].algorithm;
        for record in &mut self.records {
            if record.algorithm == algorithm && record.state == KeyState::Active {
                record.state = KeyState::Retired;
                record.retired_at = Some(self.now);
                self.events.push(AuditEvent::KeyRetired { kid: record.kid.clone() });
            }
        }
        let record = &mut self.records[index];
        record.state = KeyState::Active;
        record.activated_at = Some(self.now);
        self.events.push(AuditEvent::KeyActivated { kid: kid.to_owned() });
    }

    /// Removes retired keys when none of the tokens that they signed can be valid any more.
    fn drop_expired(&mut self) {
        for index in 0..self.records.len() {
            let record = &self.records[index];
            let retired_at = record.retired_at.unwrap_or(record.published_at);
            if record.state == KeyState::Retired && retired_at.plus(self.rules.retired_for) <= self.now {
                self.wipe(index);
            }
        }
    }

    /// Removes a key. Its row stays, without the private key, so that the key is never imported again.
    fn wipe(&mut self, index: usize) {
        let record = &mut self.records[index];
        if record.state == KeyState::Active {
            record.retired_at = Some(self.now);
        }
        record.state = KeyState::Removed;
        record.removed_at = Some(self.now);
        record.sealed.clear();
        self.events.push(AuditEvent::KeyRemoved { kid: record.kid.clone() });
    }
}
