//! A status list as the verifier keeps it: the newest that was read, recent revocations of earlier ones, and events.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::event_coverage::EventCoverage;
use crate::{Refusal, StatusList};

/// A status list, and the status indexes that are revoked although the list does not say so.
#[derive(Debug, Clone, Default)]
pub(super) struct HeldList {
    /// `None` as long as only events have reported anything about it.
    list: Option<Arc<StatusList>>,
    /// Each with the second in which an event reported it, or since which the list does not contain it any more.
    lately: HashMap<u64, i64>,
    /// The second up to which a stream of events that has ended reported every revocation since the list was read.
    told_until: i64,
}

impl HeldList {
    /// Returns the state after this list was read too; `None` when the list adds nothing. A revocation that the list
    /// does not contain any more is kept for `linger` seconds: the clocks of an issuer's instances differ, so a list
    /// that looks newer may be the older one.
    pub(super) fn followed_by(&self, list: StatusList, now: i64, linger: i64) -> Option<Self> {
        let before = self.list.as_deref();
        if let Some(before) = before.filter(|before| list.issued_at() < before.issued_at()) {
            return self.and_also(&list, before, now);
        }
        let gone = before.into_iter().flat_map(StatusList::revoked).map(|index| (index, now));
        let lingering = self.lately.iter().map(|(index, since)| (*index, *since));
        let lingering = lingering.filter(|(_, since)| list.issued_at().saturating_sub(*since) < linger);
        let lately = gone.chain(lingering).filter(|(index, _)| !says_revoked(&list, *index));
        let lately = lately.collect();
        Some(Self { list: Some(Arc::new(list)), lately, told_until: self.told_until })
    }

    /// Adds the revocations of a list that looks older: it may be of an instance whose clock is right, while that of
    /// the other runs ahead. They hold, since no status index is assigned twice. The older list makes nothing fresher,
    /// and takes no revocation back.
    fn and_also(&self, older: &StatusList, newer: &StatusList, now: i64) -> Option<Self> {
        let mut more = older.revoked().filter(|index| !says_revoked(newer, *index)).peekable();
        more.peek()?;
        let mut held = self.clone();
        held.lately.extend(more.map(|index| (index, now)));
        Some(held)
    }

    /// Adds a revocation that an event reported.
    pub(super) fn revoke(&mut self, index: u64, now: i64) {
        self.lately.insert(index, now);
    }

    /// Returns the second up to which the list is known with this coverage, if that is later than without it.
    pub(super) fn gains_by(&self, told: EventCoverage) -> Option<i64> {
        self.as_of(Some(told)).filter(|until| self.as_of(None) < Some(*until))
    }

    /// Keeps the coverage up to this second of a stream of events that is not continued.
    pub(super) fn stays_as_told(&mut self, until: i64) {
        self.told_until = self.told_until.max(until);
    }

    /// The second as of which the state is true, by the list itself or by the events that followed it. `None` as long
    /// as the list has not been read.
    pub(super) fn as_of(&self, told: Option<EventCoverage>) -> Option<i64> {
        let issued_at = self.list.as_ref()?.issued_at();
        let told = told.filter(|told| told.follows(issued_at)).map_or(issued_at, |told| told.as_of);
        Some(issued_at.max(told).max(self.told_until))
    }

    /// Whether events report everything that the list does not contain.
    pub(super) fn is_followed_by(&self, told: EventCoverage) -> bool {
        self.list.as_ref().is_some_and(|list| told.follows(list.issued_at()))
    }

    /// The latest second of which anything is known.
    pub(super) fn newest(&self) -> Option<i64> {
        self.lately.values().copied().chain(self.as_of(None)).max()
    }

    pub(super) fn ttl(&self) -> Option<Duration> {
        self.list.as_ref()?.ttl()
    }

    pub(super) fn check(&self, index: u64) -> Result<(), Refusal> {
        if self.lately.contains_key(&index) {
            return Err(Refusal::Revoked);
        }
        self.list.as_ref().map_or(Ok(()), |list| list.check(index))
    }
}

fn says_revoked(list: &StatusList, index: u64) -> bool {
    list.get(index).is_some_and(|status| status != 0)
}
