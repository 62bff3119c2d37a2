//! What is known of the issuer at this moment, and what that says of a token. Verifying looks here and nowhere else.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use super::held_list::HeldList;
use crate::{AccessToken, KeySet, Refusal, StatusList};

/// For how long a list that the issuer does not name any more is held, in seconds: as long as a token may live that names
/// it. So an answer without lists takes no revocation back.
const OUTLIVES_EVERY_TOKEN: i64 = 25 * 60 * 60;

/// What is known of the issuer.
#[derive(Debug, Clone)]
pub(super) struct Known {
    keys: Arc<KeySet>,
    keys_read_at: i64,
    lists: HashMap<String, Arc<HeldList>>,
    /// The lists that the issuer names; `None` as long as it has named none.
    named: Option<Arc<HashSet<String>>>,
}

/// Up to when what is known may be relied on. All times are in seconds.
#[derive(Debug, Clone)]
pub(super) struct Limits {
    pub(super) max_staleness: i64,
    pub(super) max_stale_keys: i64,
    pub(super) accept_stale: bool,
    pub(super) require_status: bool,
}

impl Known {
    pub(super) fn new(keys: KeySet, now: i64) -> Self {
        Self { keys: Arc::new(keys), keys_read_at: now, lists: HashMap::new(), named: None }
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
        let Some(list) = self.lists.get(&status.status_list.uri) else {
            return if limits.accept_stale { Ok(()) } else { Err(Refusal::StatusUnknown) };
        };
        // First, because what is known to be revoked stays so, however old the list is.
        list.check(status.status_list.idx)?;
        let seconds = now.saturating_sub(list.as_of());
        if seconds > limits.max_staleness && !limits.accept_stale {
            return Err(Refusal::StatusStale { seconds });
        }
        Ok(())
    }

    /// How many seconds ago the oldest of the named lists was true; `None` when one of them was never read, or when no
    /// list was ever named.
    pub(super) fn staleness(&self, now: i64) -> Option<i64> {
        let as_of = self.named.as_ref()?.iter().map(|uri| self.lists.get(uri).map(|list| list.as_of()));
        let oldest = as_of.min().unwrap_or(Some(now))?;
        Some(now.saturating_sub(oldest).max(0))
    }

    /// The pace at which the lists ask to be read: that of the most impatient.
    pub(super) fn shortest_ttl(&self) -> Option<Duration> {
        self.lists.values().filter_map(|list| list.ttl()).min()
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

    pub(super) fn take_list(&mut self, list: StatusList, now: i64) {
        let uri = list.uri().to_owned();
        let next = match self.lists.get(&uri) {
            Some(held) => held.followed_by(list, now),
            None => Some(HeldList::new(list)),
        };
        if let Some(next) = next {
            self.lists.insert(uri, Arc::new(next));
        }
    }

    /// The issuer names these lists. Others are given up once no token can name them any more.
    pub(super) fn take_names(&mut self, named: HashSet<String>, now: i64) {
        let is_old = |list: &HeldList| now.saturating_sub(list.as_of()) > OUTLIVES_EVERY_TOKEN;
        self.lists.retain(|uri, list| named.contains(uri) || !is_old(list));
        self.named = Some(Arc::new(named));
    }
}

/// Where everybody finds what is known. The lock is held for as long as it takes to copy a pointer or to change a few.
#[derive(Debug)]
pub(super) struct Memory(RwLock<Arc<Known>>);

impl Memory {
    pub(super) fn new(known: Known) -> Self {
        Self(RwLock::new(Arc::new(known)))
    }

    pub(super) fn look(&self) -> Arc<Known> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Known)) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut known));
    }
}
