//! What one instance remembers of the ledger: clients, and the sessions that ended lately. Bounded, and kept true by
//! the change feed.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::model::{Client, ClientId, SessionId};

/// The most clients that are remembered; beyond it the memory starts over.
const MAX_CLIENTS: usize = 10_000;

/// The memory of one instance.
#[derive(Default)]
pub struct Memory {
    clients: Mutex<HashMap<ClientId, Arc<Client>>>,
    /// When each remembered session ended.
    ended: Mutex<HashMap<SessionId, Timestamp>>,
    /// Ends whose tombstones could not be written yet.
    pending: Mutex<HashSet<SessionId>>,
    /// When sessions were used since this was last written to the ledger.
    used: Mutex<HashMap<SessionId, Timestamp>>,
    global_watermark: AtomicI64,
    /// Whether the hot state may have lost changes of users' rights.
    rights_in_doubt: AtomicBool,
    /// Counts what was forgotten, so that a row read before a change is not kept after it.
    forgotten: AtomicU64,
}

/// The most uses that are remembered between two writes; beyond it they are dropped, for they only feed lists.
const MAX_USED: usize = 100_000;

/// Proof of the moment at which a row began to be read.
#[derive(Debug, Clone, Copy)]
pub struct Ticket(u64);

impl Memory {
    /// To be taken before a row is read that shall be kept.
    #[must_use]
    pub fn ticket(&self) -> Ticket {
        Ticket(self.forgotten.load(Ordering::SeqCst))
    }

    /// The client, if it is remembered.
    #[must_use]
    pub fn client(&self, id: &ClientId) -> Option<Arc<Client>> {
        lock(&self.clients).get(id).cloned()
    }

    /// Remembers a client, unless something was forgotten since `ticket`.
    pub fn keep_client(&self, client: &Arc<Client>, ticket: Ticket) {
        let mut clients = lock(&self.clients);
        if self.forgotten.load(Ordering::SeqCst) != ticket.0 {
            return;
        }
        if clients.len() >= MAX_CLIENTS {
            clients.clear();
        }
        clients.insert(client.id.clone(), Arc::clone(client));
    }

    /// Forgets a client: it changed.
    pub fn forget_client(&self, id: &ClientId) {
        let mut clients = lock(&self.clients);
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        clients.remove(id);
    }

    /// Forgets every client.
    pub fn forget_clients(&self) {
        let mut clients = lock(&self.clients);
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        clients.clear();
    }

    /// Remembers that a session has ended.
    pub fn keep_ended(&self, session: SessionId, at: Timestamp) {
        lock(&self.ended).insert(session, at);
    }

    /// Whether a session is known to have ended.
    #[must_use]
    pub fn has_ended(&self, session: SessionId) -> bool {
        lock(&self.ended).contains_key(&session)
    }

    /// The sessions known to have ended.
    #[must_use]
    pub fn ended(&self) -> Vec<SessionId> {
        lock(&self.ended).keys().copied().collect()
    }

    /// Forgets sessions that ended more than `keep` ago: none of their tokens can be alive.
    pub fn prune_ended(&self, now: Timestamp, keep: Duration) {
        lock(&self.ended).retain(|_, at| now.since(*at) <= keep);
    }

    /// Remembers that the tombstones of these sessions are still to be written.
    pub fn keep_pending(&self, sessions: &[SessionId]) {
        lock(&self.pending).extend(sessions);
    }

    /// The sessions whose tombstones are still to be written.
    #[must_use]
    pub fn pending(&self) -> Vec<SessionId> {
        lock(&self.pending).iter().copied().collect()
    }

    /// The tombstones of these sessions have been written.
    pub fn forget_pending(&self, sessions: &[SessionId]) {
        let mut pending = lock(&self.pending);
        for session in sessions {
            pending.remove(session);
        }
    }

    /// Notes that a session was used.
    pub fn note_use(&self, session: SessionId, at: Timestamp) {
        let mut used = lock(&self.used);
        if used.len() < MAX_USED || used.contains_key(&session) {
            used.insert(session, at);
        }
    }

    /// Takes what was noted since the last call.
    #[must_use]
    pub fn take_used(&self) -> Vec<(SessionId, Timestamp)> {
        std::mem::take(&mut *lock(&self.used)).into_iter().collect()
    }

    /// Remembers that the hot state may have lost changes of users' rights.
    pub fn doubt_rights(&self) {
        self.rights_in_doubt.store(true, Ordering::SeqCst);
    }

    /// Whether the hot state may have lost changes of users' rights since this was asked last.
    #[must_use]
    pub fn take_doubt(&self) -> bool {
        self.rights_in_doubt.swap(false, Ordering::SeqCst)
    }

    /// Sessions and tokens that began before this moment are over.
    #[must_use]
    pub fn global_watermark(&self) -> Timestamp {
        Timestamp::from_millis(self.global_watermark.load(Ordering::SeqCst))
    }

    /// Remembers the global watermark; it never falls.
    pub fn raise_global_watermark(&self, at: Timestamp) {
        self.global_watermark.fetch_max(at.millis(), Ordering::SeqCst);
    }
}

/// A panic while a map was held cannot leave it half changed: each change is one call.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
