//! The cache that one instance keeps of the database: clients, users, consents and browser sessions, and the sessions
//! that ended recently.
//!
//! The cache is bounded. [`Memory::apply`] keeps it consistent: the feed follower calls it for the changes of all
//! instances, and each commit of this instance for its own changes (`store/sql/db.rs`). Business logic never calls it.
//! A write that the feed does not carry must not change anything cached here, except the time of last use.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::model::{
    BrowserSession, BrowserSessionId, Client, ClientId, Consent, CookieDigest, SessionId, User, UserId,
};
use crate::store::change::Change;

/// The most cached rows of one kind; beyond it their map is cleared.
const MOST: usize = 10_000;

#[derive(Default)]
pub struct Memory {
    clients: Mutex<HashMap<ClientId, Arc<Client>>>,
    people: Mutex<HashMap<UserId, Person>>,
    browser_sessions: Mutex<BrowserSessions>,
    /// When browser sessions were used since the last write of these times to the database.
    used_browser_sessions: Mutex<HashMap<BrowserSessionId, Timestamp>>,
    ended: Mutex<HashMap<SessionId, Timestamp>>,
    /// Ended sessions whose tombstones are yet to be written.
    pending: Mutex<HashSet<SessionId>>,
    /// When sessions were used since the last write of these times to the database.
    used: Mutex<HashMap<SessionId, Timestamp>>,
    global_not_before: AtomicI64,
    rights_in_doubt: AtomicBool,
    /// Counts invalidations, so that a row read before a change is not cached after it. It is raised before a map is
    /// locked for a removal, and compared under that lock by each insertion. An insertion therefore either sees the new
    /// count or comes before the removal.
    forgotten: AtomicU64,
}

/// The most uses noted between two writes. Further ones are dropped, since they only feed lists.
const MAX_USED: usize = 100_000;

#[derive(Default)]
struct Person {
    user: Option<Arc<User>>,
    consents: HashMap<ClientId, Arc<Consent>>,
}

#[derive(Default)]
struct BrowserSessions {
    by_cookie: HashMap<CookieDigest, Arc<BrowserSession>>,
    cookies: HashMap<BrowserSessionId, CookieDigest>,
}

/// The invalidation count at the time when a read of a row began. A row is cached only if the count is still the same.
#[derive(Debug, Clone, Copy)]
pub struct Ticket(u64);

impl Memory {
    /// Applies a committed change. Cached rows that it concerns are dropped, and the next reader reads them again. The
    /// end of a session and the global `not_before` are kept, since refreshes check nothing else. Applying a change
    /// twice has the same effect as once.
    ///
    /// Two kinds need more, which the feed follower does: it reloads the keyring, and after an unknown change it reads
    /// the recent ends again.
    pub fn apply(&self, change: &Change) {
        match change {
            Change::SessionEnded(session) => {
                self.keep_ended(session.id, session.ended.at);
                // The instance that ended the session may die before it writes the tombstone. Writing it again changes
                // nothing.
                self.keep_pending(&[session.id]);
            }
            Change::GlobalNotBefore(mark) => self.raise_global_not_before(*mark),
            Change::User(_)
            | Change::Client(_)
            | Change::BrowserSession(_)
            | Change::IndexRevoked(_)
            | Change::Unknown
            | Change::Keys => self.forget(change),
        }
    }

    /// Drops the cached rows that a change concerns when it is unknown whether the change was committed.
    pub(super) fn forget(&self, change: &Change) {
        match change {
            Change::User(user) => self.forget_user(*user),
            Change::Client(client) => self.forget_client(client),
            Change::BrowserSession(browser_session) => self.forget_browser_session(*browser_session),
            Change::IndexRevoked(revoked) => self.forget_client(&revoked.index.client_id),
            Change::Unknown => self.forget_rows(),
            Change::SessionEnded(_) | Change::GlobalNotBefore(_) | Change::Keys => {}
        }
    }

    /// Returns the ticket that a caller must take before it reads a row in order to cache it.
    #[must_use]
    pub fn ticket(&self) -> Ticket {
        Ticket(self.forgotten.load(Ordering::SeqCst))
    }

    #[must_use]
    pub fn client(&self, id: &ClientId) -> Option<Arc<Client>> {
        lock(&self.clients).get(id).cloned()
    }

    /// Caches a client, unless rows were invalidated since `ticket`.
    pub fn keep_client(&self, client: &Arc<Client>, ticket: Ticket) {
        let mut clients = lock(&self.clients);
        if self.forgotten.load(Ordering::SeqCst) != ticket.0 {
            return;
        }
        if clients.len() >= MOST {
            clients.clear();
        }
        clients.insert(client.id.clone(), Arc::clone(client));
    }

    fn forget_client(&self, id: &ClientId) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        lock(&self.clients).remove(id);
        for person in lock(&self.people).values_mut() {
            person.consents.remove(id);
        }
    }

    pub fn forget_rows(&self) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        lock(&self.clients).clear();
        lock(&self.people).clear();
        *lock(&self.browser_sessions) = BrowserSessions::default();
    }

    #[must_use]
    pub fn user(&self, id: UserId) -> Option<Arc<User>> {
        lock(&self.people).get(&id)?.user.clone()
    }

    #[must_use]
    pub fn consent(&self, user: UserId, client: &ClientId) -> Option<Arc<Consent>> {
        lock(&self.people).get(&user)?.consents.get(client).cloned()
    }

    pub fn keep_user(&self, user: &Arc<User>, ticket: Ticket) {
        self.keep_of(user.id, ticket, |person| person.user = Some(Arc::clone(user)));
    }

    pub fn keep_consent(&self, consent: &Arc<Consent>, ticket: Ticket) {
        self.keep_of(consent.user_id, ticket, |person| {
            person.consents.insert(consent.client_id.clone(), Arc::clone(consent));
        });
    }

    fn keep_of(&self, user: UserId, ticket: Ticket, keep: impl FnOnce(&mut Person)) {
        let mut people = lock(&self.people);
        if self.forgotten.load(Ordering::SeqCst) != ticket.0 {
            return;
        }
        if people.len() >= MOST {
            people.clear();
        }
        keep(people.entry(user).or_default());
    }

    fn forget_user(&self, id: UserId) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        lock(&self.people).remove(&id);
    }

    #[must_use]
    pub fn browser_session(&self, cookie: &CookieDigest) -> Option<Arc<BrowserSession>> {
        lock(&self.browser_sessions).by_cookie.get(cookie).cloned()
    }

    pub fn keep_browser_session(&self, cookie: &CookieDigest, browser_session: &Arc<BrowserSession>, ticket: Ticket) {
        let mut browser_sessions = lock(&self.browser_sessions);
        if self.forgotten.load(Ordering::SeqCst) != ticket.0 {
            return;
        }
        if browser_sessions.by_cookie.len() >= MOST {
            *browser_sessions = BrowserSessions::default();
        }
        browser_sessions.by_cookie.insert(cookie.clone(), Arc::clone(browser_session));
        // A renewed browser session has a new cookie, and the previous one is no longer valid.
        if let Some(previous) = browser_sessions.cookies.insert(browser_session.id, cookie.clone())
            && previous != *cookie
        {
            browser_sessions.by_cookie.remove(&previous);
        }
    }

    fn forget_browser_session(&self, id: BrowserSessionId) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        let mut browser_sessions = lock(&self.browser_sessions);
        if let Some(cookie) = browser_sessions.cookies.remove(&id) {
            browser_sessions.by_cookie.remove(&cookie);
        }
    }

    pub fn note_browser_session_use(&self, browser_session: BrowserSessionId, at: Timestamp) {
        let mut used = lock(&self.used_browser_sessions);
        if used.len() < MAX_USED || used.contains_key(&browser_session) {
            used.insert(browser_session, at);
        }
    }

    /// Returns the time of the last use noted since the last [`Memory::take_used_browser_sessions`].
    #[must_use]
    pub fn browser_session_use(&self, browser_session: BrowserSessionId) -> Option<Timestamp> {
        lock(&self.used_browser_sessions).get(&browser_session).copied()
    }

    #[must_use]
    pub fn take_used_browser_sessions(&self) -> Vec<(BrowserSessionId, Timestamp)> {
        std::mem::take(&mut *lock(&self.used_browser_sessions)).into_iter().collect()
    }

    pub fn keep_ended(&self, session: SessionId, at: Timestamp) {
        lock(&self.ended).insert(session, at);
    }

    #[must_use]
    pub fn has_ended(&self, session: SessionId) -> bool {
        lock(&self.ended).contains_key(&session)
    }

    #[must_use]
    pub fn ended(&self) -> Vec<SessionId> {
        lock(&self.ended).keys().copied().collect()
    }

    /// Drops sessions that ended more than `keep` ago: all their tokens have expired.
    pub fn prune_ended(&self, now: Timestamp, keep: Duration) {
        lock(&self.ended).retain(|_, at| now.since(*at) <= keep);
    }

    pub fn keep_pending(&self, sessions: &[SessionId]) {
        lock(&self.pending).extend(sessions);
    }

    #[must_use]
    pub fn pending(&self) -> Vec<SessionId> {
        lock(&self.pending).iter().copied().collect()
    }

    pub fn forget_pending(&self, sessions: &[SessionId]) {
        let mut pending = lock(&self.pending);
        for session in sessions {
            pending.remove(session);
        }
    }

    pub fn note_use(&self, session: SessionId, at: Timestamp) {
        let mut used = lock(&self.used);
        if used.len() < MAX_USED || used.contains_key(&session) {
            used.insert(session, at);
        }
    }

    #[must_use]
    pub fn take_used(&self) -> Vec<(SessionId, Timestamp)> {
        std::mem::take(&mut *lock(&self.used)).into_iter().collect()
    }

    /// Records that the ephemeral store may have lost changes of users' roles or groups.
    pub fn doubt_rights(&self) {
        self.rights_in_doubt.store(true, Ordering::SeqCst);
    }

    /// Returns whether [`Memory::doubt_rights`] was called since the last call.
    #[must_use]
    pub fn take_doubt(&self) -> bool {
        self.rights_in_doubt.swap(false, Ordering::SeqCst)
    }

    #[must_use]
    pub fn global_not_before(&self) -> Timestamp {
        Timestamp::from_millis(self.global_not_before.load(Ordering::SeqCst))
    }

    /// Raises the global `not_before`; it never falls.
    pub fn raise_global_not_before(&self, at: Timestamp) {
        self.global_not_before.fetch_max(at.millis(), Ordering::SeqCst);
    }
}

/// Locks a map. A panic while it was locked cannot leave it inconsistent, since each change is one call.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EndReason, Ended, EndedSession};

    fn consent(user: UserId, client: &str) -> Arc<Consent> {
        let scope = crate::protocol::Scope::parse("read").unwrap();
        Arc::new(Consent { user_id: user, client_id: client.parse().unwrap(), scope, given_at: Timestamp::default() })
    }

    fn end_of(session: SessionId) -> Change {
        let ended = Ended { at: Timestamp::from_millis(5), reason: EndReason::Admin };
        Change::SessionEnded(EndedSession { id: session, ended, index: None })
    }

    #[test]
    fn a_row_that_was_read_before_a_change_is_not_kept_after_it() {
        let (memory, user) = (Memory::default(), UserId(uuid::Uuid::from_u128(1)));
        let row = consent(user, "app");
        for change in [Change::User(user), Change::Client(row.client_id.clone()), Change::Unknown] {
            let before = memory.ticket();
            memory.apply(&change);

            memory.keep_consent(&row, before);
            assert_eq!(memory.consent(user, &row.client_id), None, "{change:?}");

            memory.keep_consent(&row, memory.ticket());
            assert_eq!(memory.consent(user, &row.client_id), Some(Arc::clone(&row)));
        }
    }

    #[test]
    fn a_client_takes_its_consents_along_and_no_others() {
        let (memory, user) = (Memory::default(), UserId(uuid::Uuid::from_u128(1)));
        let (gone, stays) = (consent(user, "gone"), consent(user, "stays"));
        memory.keep_consent(&gone, memory.ticket());
        memory.keep_consent(&stays, memory.ticket());

        memory.apply(&Change::Client(gone.client_id.clone()));

        assert_eq!(memory.consent(user, &gone.client_id), None);
        assert_eq!(memory.consent(user, &stays.client_id), Some(stays));
    }

    #[test]
    fn a_change_that_may_not_have_been_made_ends_no_session_and_raises_no_not_before() {
        let (memory, session) = (Memory::default(), SessionId(uuid::Uuid::from_u128(1)));
        let (end, mark) = (end_of(session), Timestamp::from_millis(7));

        memory.forget(&end);
        memory.forget(&Change::GlobalNotBefore(mark));
        assert!(!memory.has_ended(session) && memory.pending().is_empty());
        assert_eq!(memory.global_not_before(), Timestamp::default());

        memory.apply(&end);
        memory.apply(&Change::GlobalNotBefore(mark));
        assert!(memory.has_ended(session) && memory.pending() == [session]);
        assert_eq!(memory.global_not_before(), mark);
    }
}
