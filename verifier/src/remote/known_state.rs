//! What is known of the issuer at this moment, and what that says of a token. Verifying looks here and nowhere else.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::event_coverage::EventCoverage;
use super::held_list::HeldList;
use crate::{AccessToken, KeySet, Refusal, StatusList, StatusListEntry};

/// For how long a list that the issuer does not name any more is held, in seconds: as long as a token may live that
/// names it. So an answer without lists takes no revocation back.
const OUTLIVES_EVERY_TOKEN: i64 = 25 * 60 * 60;

/// How many lists are followed at most. One of Tokenhouse has room for 131,072 sessions.
pub(super) const MAX_LISTS: usize = 1024;

/// What is known of the issuer.
#[derive(Debug, Clone)]
pub(super) struct KnownState {
    keys: Arc<KeySet>,
    keys_read_at: i64,
    lists: HashMap<String, Arc<HeldList>>,
    /// The lists that the issuer names; `None` as long as it has named none.
    named: Option<Arc<HashSet<String>>>,
    /// How far events lead; `None` as long as they have told nothing.
    told: Option<EventCoverage>,
    /// Whether heartbeats come at present.
    hears: bool,
}

/// Up to when what is known may be relied on. All times are in seconds.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    pub(super) max_staleness: i64,
    pub(super) max_stale_keys: i64,
    pub(super) accept_stale: bool,
    pub(super) require_status: bool,
    /// For how long a revoked status index stays revoked without a list that says so.
    pub(super) linger: i64,
}

impl KnownState {
    pub(super) fn new(keys: KeySet, now: i64) -> Self {
        Self { keys: Arc::new(keys), keys_read_at: now, lists: HashMap::new(), named: None, told: None, hears: false }
    }

    /// The issuer's keys, unless they were read too long ago.
    pub(super) fn keys(&self, limits: &Limits, now: i64) -> Result<&KeySet, Refusal> {
        let seconds = now.saturating_sub(self.keys_read_at);
        if seconds > limits.max_stale_keys { Err(Refusal::KeysStale { seconds }) } else { Ok(&self.keys) }
    }

    /// Passes when nothing is known against a token whose claims are good.
    pub(super) fn judge(&self, token: &AccessToken, limits: &Limits, now: i64) -> Result<(), Refusal> {
        let Some(status) = &token.status else {
            return if limits.require_status { Err(Refusal::MissingClaim { claim: "status" }) } else { Ok(()) };
        };
        let list = self.lists.get(&status.status_list.uri);
        // First, because what is known to be revoked stays so, however old the list is.
        list.map_or(Ok(()), |list| list.check(status.status_list.idx))?;
        if limits.accept_stale {
            return Ok(());
        }
        let as_of = list.and_then(|list| list.as_of(self.told)).ok_or(Refusal::StatusUnknown)?;
        let seconds = now.saturating_sub(as_of);
        if seconds > limits.max_staleness { Err(Refusal::StatusStale { seconds }) } else { Ok(()) }
    }

    /// How many seconds ago the oldest of the named lists was true; `None` when one of them was never read, or when no
    /// list was ever named.
    pub(super) fn staleness(&self, now: i64) -> Option<i64> {
        let as_of = self.named.as_ref()?.iter().map(|uri| self.lists.get(uri)?.as_of(self.told));
        let oldest = as_of.min().unwrap_or(Some(now))?;
        Some(now.saturating_sub(oldest).max(0))
    }

    /// The pace at which the lists ask to be read: that of the most impatient.
    pub(super) fn shortest_ttl(&self) -> Option<Duration> {
        self.lists.values().filter_map(|list| list.ttl()).min()
    }

    /// Whether events tell everything that the lists do not, so that the lists need not be read often.
    pub(super) fn is_told_everything(&self) -> bool {
        let (Some(told), Some(named), true) = (self.told, &self.named, self.hears) else { return false };
        named.iter().all(|uri| self.lists.get(uri).is_some_and(|list| list.is_followed_by(told)))
    }

    /// The keys were read, and are these.
    pub(super) fn take_keys(&mut self, keys: KeySet, now: i64) {
        self.keys = Arc::new(keys);
        self.keys_read_at = now;
    }

    /// The keys were asked for, and are still the same.
    pub(super) fn keep_keys(&mut self, now: i64) {
        self.keys_read_at = now;
    }

    pub(super) fn take_list(&mut self, list: StatusList, limits: &Limits, now: i64) {
        let held = self.lists.entry(list.uri().to_owned()).or_default();
        if let Some(next) = held.followed_by(list, now, limits.linger) {
            *held = Arc::new(next);
        }
    }

    /// The issuer names these lists. Others are given up once no token can name them any more.
    pub(super) fn take_names(&mut self, named: HashSet<String>, now: i64) {
        let is_new =
            |list: &HeldList| list.newest().is_some_and(|newest| now.saturating_sub(newest) <= OUTLIVES_EVERY_TOKEN);
        self.lists.retain(|uri, list| named.contains(uri) || is_new(list));
        self.named = Some(Arc::new(named));
    }

    /// Events tell of revoked status indexes. Many at once, because the first of them copies what somebody is looking
    /// at.
    pub(super) fn revoke(&mut self, indexes: &[StatusListEntry], now: i64) {
        for index in indexes {
            if self.lists.len() < MAX_LISTS || self.lists.contains_key(&index.uri) {
                Arc::make_mut(self.lists.entry(index.uri.clone()).or_default()).revoke(index.idx, now);
            }
        }
    }

    /// A heartbeat: events have told all that was committed before this second. Whether that is later than before.
    pub(super) fn take_heartbeat(&mut self, as_of: i64) -> bool {
        let before =
            self.told.replace(self.told.map_or(EventCoverage { since: as_of, as_of }, |told| told.up_to(as_of)));
        let is_later = before.is_none_or(|before| before.as_of < as_of);
        self.hears |= is_later;
        is_later
    }

    /// No events come at present. What they told stays true.
    pub(super) fn hear_nothing(&mut self) {
        self.hears = false;
    }

    /// What events told does not lead on to what they will tell, from this second on if it is known.
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

/// Where everybody finds what is known. The lock is held for as long as it takes to copy a pointer or to change a few.
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
