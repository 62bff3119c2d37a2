//! What happens to which key and when: decisions about the list of keys, without a clock, a store or a key.

use std::time::Duration;

use crate::audit::AuditEvent;
use crate::clock::Timestamp;
use crate::config;
use crate::model::{KeyState, SigningAlgorithm, SigningKeyRecord};
use crate::store::sql::keys::KeyChange;

/// How old a reader's copy of the database may be: a signer that has not read it for so long stops signing.
pub(super) const STALE_AFTER: Duration = Duration::from_hours(24);

/// On top of the JWKS's max-age, for the way of a new key through the instances and for clocks that differ.
const MARGIN: Duration = Duration::from_mins(1);

/// The times and algorithms by which keys live.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    /// Each of these has one *active* and at least one *next* key.
    pub(super) algorithms: Vec<SigningAlgorithm>,
    rotate_every: Duration,
    ripe_after: Duration,
    retired_for: Duration,
}

impl Rules {
    /// `longest_lifetime` is that of a token.
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

    /// What an RSA key from elsewhere signs with; the key itself does not say.
    pub(super) fn rsa(&self) -> SigningAlgorithm {
        let asks_for = |algorithm| self.algorithms.contains(&algorithm);
        if asks_for(SigningAlgorithm::Ps256) && !asks_for(SigningAlgorithm::Rs256) {
            SigningAlgorithm::Ps256
        } else {
            SigningAlgorithm::Rs256
        }
    }

    /// When a key may begin to sign, because no verifier can still hold a JWKS without it.
    pub(super) fn ripe_at(&self, key: &SigningKeyRecord) -> Timestamp {
        key.published_at.plus(self.ripe_after)
    }

    fn due_at(&self, key: &SigningKeyRecord) -> Timestamp {
        key.activated_at.unwrap_or(key.published_at).plus(self.rotate_every)
    }
}

/// The *next* key of this algorithm: the one published last, so that an imported key goes before a spare one.
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

/// What became of a key that was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// It is in the list now.
    New,
    /// It was in the list already.
    Known,
    /// It was removed once and is not taken again.
    Removed,
}

/// The list of keys while it is being changed.
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
    /// `candidates` are new keys that may be put into the list where one is missing; the others are dropped.
    pub(super) fn new(
        rules: &'a Rules,
        now: Timestamp,
        before: &'a [SigningKeyRecord],
        candidates: Vec<SigningKeyRecord>,
    ) -> Self {
        Self { rules, now, before, records: before.to_vec(), candidates, events: Vec::new(), missing: Vec::new() }
    }

    /// The list as it is now.
    pub(super) fn records(&self) -> &[SigningKeyRecord] {
        &self.records
    }

    /// Algorithms for which a candidate was wanted and not there, one entry for each.
    pub(super) fn missing(&self) -> &[SigningAlgorithm] {
        &self.missing
    }

    /// The rows that differ, and what happened in its order.
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

    /// Everything that time brings: keys that are missing, due rotations, the end of retired keys.
    pub(super) fn maintain(&mut self) {
        self.drop_expired();
        for &algorithm in &self.rules.algorithms {
            self.fill(algorithm);
            if self.is_due(algorithm) {
                self.rotate(algorithm);
            }
        }
    }

    /// Makes sure of one active and one next key.
    pub(super) fn fill(&mut self, algorithm: SigningAlgorithm) {
        if in_state(&self.records, algorithm, KeyState::Active).next().is_none() {
            self.replace_active(algorithm);
        }
        if next_key(&self.records, algorithm).is_none() {
            self.publish_candidate(algorithm);
        }
    }

    /// Whether a configured algorithm has no key that signs.
    pub(super) fn lacks_signer(&self) -> bool {
        let has_signer =
            |&algorithm: &SigningAlgorithm| in_state(&self.records, algorithm, KeyState::Active).next().is_some();
        !self.rules.algorithms.iter().all(has_signer)
    }

    /// Makes every configured algorithm have what it needs.
    pub(super) fn fill_all(&mut self) {
        for &algorithm in &self.rules.algorithms {
            self.fill(algorithm);
        }
    }

    /// The configured algorithm whose next key is ripe last, if any is not ripe yet, and when it is.
    pub(super) fn unripe(&self) -> Option<(SigningAlgorithm, Timestamp)> {
        let next_keys = self.rules.algorithms.iter().map(|&algorithm| match next_key(&self.records, algorithm) {
            Some(key) => (algorithm, self.rules.ripe_at(key)),
            None => (algorithm, self.now.plus(self.rules.ripe_after)),
        });
        next_keys.filter(|(_, ripe_at)| *ripe_at > self.now).max_by_key(|(_, ripe_at)| *ripe_at)
    }

    /// Makes the next key of every configured algorithm sign, ripe or not.
    pub(super) fn rotate_all(&mut self) {
        for &algorithm in &self.rules.algorithms {
            self.fill(algorithm);
            self.rotate(algorithm);
        }
    }

    /// Removes a key at once and puts another into its state. `false`: there is none to take out.
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

    /// Takes in a key from elsewhere: as *next*, and as *active* where nothing signs with its algorithm yet.
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

    /// Nothing signs with this algorithm: a ripe next key shall, or the newest one, or a new one.
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

    /// The key signs from now on, and whatever signed with its algorithm before does not.
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

    /// Retired keys leave when nothing that they signed can be good any more.
    fn drop_expired(&mut self) {
        for index in 0..self.records.len() {
            let record = &self.records[index];
            let retired_at = record.retired_at.unwrap_or(record.published_at);
            if record.state == KeyState::Retired && retired_at.plus(self.rules.retired_for) <= self.now {
                self.wipe(index);
            }
        }
    }

    /// The row stays, so that the key is never imported again; its private half does not.
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
