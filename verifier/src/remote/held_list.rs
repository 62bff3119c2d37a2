//! A status list as it is held: the newest that was read, and what was revoked a moment before.

use std::collections::HashMap;
use std::time::Duration;

use crate::{Refusal, StatusList};

/// For how long a revoked place stays revoked after the list has stopped to say so, in seconds. The clocks of an issuer's
/// instances differ, so a list that looks newer may be the older one.
const LINGER: i64 = 120;

/// A status list, and the places that its predecessors called revoked shortly before.
#[derive(Debug, Clone)]
pub(super) struct HeldList {
    list: StatusList,
    /// Each with the second from which on the list did not say so any more.
    lately: HashMap<u64, i64>,
}

impl HeldList {
    pub(super) fn new(list: StatusList) -> Self {
        Self { list, lately: HashMap::new() }
    }

    /// What is held once this list has been read too; `None` when it says nothing new, because it is older.
    pub(super) fn followed_by(&self, list: StatusList, now: i64) -> Option<Self> {
        if list.issued_at() < self.list.issued_at() {
            return None;
        }
        let before = self.list.revoked().map(|index| (index, now));
        let mut lately: HashMap<u64, i64> = before.filter(|(index, _)| list.get(*index) == Some(0)).collect();
        lately.extend(self.lately.iter().filter(|(_, since)| now.saturating_sub(**since) < LINGER));
        Some(Self { list, lately })
    }

    /// As of when the list is true.
    pub(super) fn as_of(&self) -> i64 {
        self.list.issued_at()
    }

    pub(super) fn ttl(&self) -> Option<Duration> {
        self.list.ttl()
    }

    pub(super) fn check(&self, index: u64) -> Result<(), Refusal> {
        if self.lately.contains_key(&index) { Err(Refusal::Revoked) } else { self.list.check(index) }
    }
}
