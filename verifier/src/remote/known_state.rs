//! The known state of the issuer, and its verdict on a token. Verifying reads this state and nothing else.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::event_coverage::EventCoverage;
use super::held_list::HeldList;
use crate::{AccessToken, KeySet, Refusal, StatusList, StatusListEntry};

/// How long a list is kept that the issuer does not name any more, in seconds: as long as a token may live that names
/// it. So an answer without lists takes no revocation back.
const OUTLIVES_EVERY_TOKEN: i64 = 25 * 60 * 60;

/// How many lists are followed at most. One list of Tokenhouse has 131,072 status indexes.
pub(super) const MAX_LISTS: usize = 1024;

#[derive(Debug, Clone)]
pub(super) struct KnownState {
    keys: Arc<KeySet>,
    keys_read_at: i64,
    lists: HashMap<String, Arc<HeldList>>,
    /// The lists that the issuer names; `None` as long as it has named none.
    named: Option<Arc<HashSet<String>>>,
    /// The period that events have covered; `None` when there is none.
    told: Option<EventCoverage>,
    /// Whether heartbeats arrive at present.
    hears: bool,
}

/// The limits within which the known state is used. All times are in seconds.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    pub(super) max_staleness: i64,
    pub(super) max_stale_keys: i64,
    pub(super) accept_stale: bool,
    pub(super) require_status: bool,
    /// How long a revoked status index stays revoked without a list that says so.
    pub(super) linger: i64,
}

impl KnownState {
    pub(super) fn new(keys: KeySet, now: i64) -> Self {
        Self { keys: Arc::new(keys), keys_read_at: now, lists: HashMap::new(), named: None, told: None, hears: false }
    }

    /// Returns the issuer's keys, unless they were read too long ago.
    pub(super) fn keys(&self, limits: &Limits, now: i64) -> Result<&KeySet, Refusal> {
        let seconds = now.saturating_sub(self.keys_read_at);
        if seconds > limits.max_stale_keys { Err(Refusal::KeysStale { seconds }) } else { Ok(&self.keys) }
    }

    /// Passes when the state does not speak against a token whose claims are valid.
    pub(super) fn judge(&self, token: &AccessToken, limits: &Limits, now: i64) -> Result<(), Refusal> {
        let Some(status) = &token.status else {
            return if limits.require_status { Err(Refusal::MissingClaim { claim: "status" }) } else { Ok(()) };
        };
        let list = self.lists.get(&status.status_list.uri);
        // This comes first, because a known revocation holds however old the list is.
        list.map_or(Ok(()), |list| list.check(status.status_list.idx))?;
        if limits.accept_stale {
            return Ok(());
        }
        let as_of = list.and_then(|list| list.as_of(self.told)).ok_or(Refusal::StatusUnknown)?;
        let seconds = now.saturating_sub(as_of);
        if seconds > limits.max_staleness { Err(Refusal::StatusStale { seconds }) } else { Ok(()) }
    }

    /// The age of the oldest named list, in seconds; `None` when one of them was never read, or when no list was ever
    /// named.
    pub(super) fn staleness(&self, now: i64) -> Option<i64> {
        let as_of = self.named.as_ref()?.iter().map(|uri| self.lists.get(uri)?.as_of(self.told));
        let oldest = as_of.min().unwrap_or(Some(now))?;
        Some(now.saturating_sub(oldest).max(0))
    }

    /// The shortest `ttl` of the lists.
    pub(super) fn shortest_ttl(&self) -> Option<Duration> {
        self.lists.values().filter_map(|list| list.ttl()).min()
    }

    /// Whether events report everything that the lists do not contain, so that the lists need not be read often.
    pub(super) fn is_told_everything(&self) -> bool {
        let (Some(told), Some(named), true) = (self.told, &self.named, self.hears) else { return false };
        named.iter().all(|uri| self.lists.get(uri).is_some_and(|list| list.is_followed_by(told)))
    }

    /// Replaces the keys after a read.
    pub(super) fn take_keys(&mut self, keys: KeySet, now: i64) {
        self.keys = Arc::new(keys);
        self.keys_read_at = now;
    }

    /// Notes that the keys were read and have not changed.
    pub(super) fn keep_keys(&mut self, now: i64) {
        self.keys_read_at = now;
    }

    pub(super) fn take_list(&mut self, list: StatusList, limits: &Limits, now: i64) {
        let held = self.lists.entry(list.uri().to_owned()).or_default();
        if let Some(next) = held.followed_by(list, now, limits.linger) {
            *held = Arc::new(next);
        }
    }

    /// Replaces the named lists. Other lists are dropped once no token can name them any more.
    pub(super) fn take_names(&mut self, named: HashSet<String>, now: i64) {
        let is_new =
            |list: &HeldList| list.newest().is_some_and(|newest| now.saturating_sub(newest) <= OUTLIVES_EVERY_TOKEN);
        self.lists.retain(|uri, list| named.contains(uri) || is_new(list));
        self.named = Some(Arc::new(named));
    }

    /// Adds the revocations of events. Takes many at once, because the first one copies a list that a reader is using.
    pub(super) fn revoke(&mut self, indexes: &[StatusListEntry], now: i64) {
        for index in indexes {
            if self.lists.len() < MAX_LISTS || self.lists.contains_key(&index.uri) {
                Arc::make_mut(self.lists.entry(index.uri.clone()).or_default()).revoke(index.idx, now);
            }
        }
    }

    /// Takes a heartbeat: events have reported everything that was committed before this second. Returns whether that
    /// is later than before.
    pub(super) fn take_heartbeat(&mut self, as_of: i64) -> bool {
        let before =
            self.told.replace(self.told.map_or(EventCoverage { since: as_of, as_of }, |told| told.up_to(as_of)));
        let is_later = before.is_none_or(|before| before.as_of < as_of);
        self.hears |= is_later;
        is_later
    }

    /// Notes that no events arrive at present. What they reported stays true.
    pub(super) fn hear_nothing(&mut self) {
        self.hears = false;
    }

    /// Ends the coverage, because later events do not continue it. Another one begins at `from`, if that is known.
    pub(super) fn lose_the_thread(&mut self, from: Option<i64>) {
        if let Some(told) = self.told {
            for list in self.lists.values_mut() {
                if let Some(until) = list.gains_by(told) {
                    Arc::make_mut(list).stays_as_told(until);
                }
            }
        }
        self.told = from.map(|since| EventCoverage { since, as_of: since });
    }
}

/// The known state that all handles and followers share. The lock is held only to copy a pointer or to make a change.
#[derive(Debug)]
pub(super) struct Memory(RwLock<Arc<KnownState>>);

impl Memory {
    pub(super) fn new(known: KnownState) -> Self {
        Self(RwLock::new(Arc::new(known)))
    }

    pub(super) fn snapshot(&self) -> Arc<KnownState> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut KnownState) -> T) -> T {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut known))
    }
}
