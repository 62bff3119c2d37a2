//! Which access tokens were revoked although they have not expired, as signed lists of bits (IETF Token Status List,
//! draft-ietf-oauth-status-list-20), so that services which verify offline refuse them too.
//!
//! Memory and signatures alone. Whoever ends something says so here, and the change feed says it of the other
//! instances; no store is asked. `list.rs` is one list, `signed.rs` the token that carries it.

mod list;
mod signed;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use crate::clock::{Stopwatch, Timestamp};
use crate::error::Error;
use crate::keys::Keyring;
use crate::model::client::MAX_ACCESS_LIFETIME;
use crate::model::{LIST_LIFETIME, SigningAlgorithm, StatusIndex, TOLD_AFTER_EXPIRY};
use crate::store::sql::status::StatusFacts;
use list::List;
use signed::Draft;
pub use signed::SignedList;

/// By when services that follow the lists refuse what was revoked: the other instances hear of it within a second, a
/// cache may keep a list for a second, and services ask every two; one more for the way.
pub const REFUSED_WITHIN: Duration = Duration::from_secs(5);

/// The status lists of one running instance.
pub struct StatusLists {
    /// The address of all lists; that of each is one segment longer.
    endpoint: String,
    algorithm: SigningAlgorithm,
    lists: RwLock<BTreeMap<u64, Arc<Mutex<List>>>>,
    heard: Mutex<FeedState>,
}

/// What the database has told.
#[derive(Debug, Default)]
struct FeedState {
    facts: StatusFacts,
    /// Whatever was revoked before this moment, it has told.
    as_of: Timestamp,
    /// When it told that.
    since: Option<Stopwatch>,
}

impl StatusLists {
    /// Lists in which nothing is revoked, and none is served before somebody [vouches](Self::vouch) for them.
    #[must_use]
    pub fn new(issuer: &str, algorithm: SigningAlgorithm) -> Self {
        let endpoint = format!("{}/status", issuer.trim_end_matches('/'));
        // Until the database has told how long tokens live, they may live as long as any.
        let facts = StatusFacts { longest_access_lifetime: MAX_ACCESS_LIFETIME, ..StatusFacts::default() };
        let heard = Mutex::new(FeedState { facts, ..FeedState::default() });
        Self { endpoint, algorithm, lists: RwLock::default(), heard }
    }

    /// The `uri` of a list (section 6.2).
    #[must_use]
    pub fn uri(&self, number: u64) -> String {
        format!("{}/{number}", self.endpoint)
    }

    /// The addresses of all lists in which a token may have its status index, and of the next one: services that verify
    /// can hold that before its first token (section 9).
    #[must_use]
    pub fn uris(&self) -> Vec<String> {
        let heard = lock(&self.heard);
        heard.facts.lists.iter().chain([&heard.next()]).map(|number| self.uri(*number)).collect()
    }

    /// Takes note of what the database knows of all lists; those that it has dropped are forgotten.
    pub fn learn(&self, facts: StatusFacts) {
        let mut heard = lock(&self.heard);
        heard.facts = facts;
        let mut lists = self.lists.write().unwrap_or_else(PoisonError::into_inner);
        // A list may be so new that the database was asked before it was begun.
        lists.retain(|number, _| heard.serves(*number) || *number > heard.next());
    }

    /// The change feed was read to its end, which was begun at `as_of`, and what it told of has been revoked here.
    pub fn vouch(&self, as_of: Timestamp) {
        let mut heard = lock(&self.heard);
        (heard.as_of, heard.since) = (as_of, Some(Stopwatch::start()));
    }

    /// Passes when the change feed was read within the time for which a list is good. An instance that is cut off for
    /// longer may hand out what was revoked, and what it hands out then would outlive the bit that says so.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn hears(&self) -> Result<(), Error> {
        let since = lock(&self.heard).since;
        since.filter(|since| since.elapsed() < LIST_LIFETIME).map(drop).ok_or_else(cut_off)
    }

    /// How long an access token lives at most. `own` is the longest life that its client gives, where it has one of its
    /// own.
    #[must_use]
    pub fn longest_lifetime(&self, own: Option<Duration>) -> Duration {
        let default = lock(&self.heard).facts.longest_access_lifetime;
        own.map_or(default, |own| own.max(default))
    }

    /// Until when the status index of tokens that were revoked at `at` must say so: until the last of them has expired
    /// in the eyes of every service, and no list is believed any more that does not say so. `own` is as for
    /// [`longest_lifetime`](Self::longest_lifetime).
    #[must_use]
    pub fn needed_until(&self, at: Timestamp, own: Option<Duration>) -> Timestamp {
        at.plus(self.longest_lifetime(own) + TOLD_AFTER_EXPIRY)
    }

    /// What was revoked before this moment need not be said any more, however long its tokens may have lived.
    #[must_use]
    pub fn forgettable_before(&self, now: Timestamp) -> Timestamp {
        now.minus(MAX_ACCESS_LIFETIME + TOLD_AFTER_EXPIRY)
    }

    /// Revokes the tokens of a status index.
    pub fn revoke(&self, status_index: i64, until: Timestamp) {
        let index = StatusIndex::of(status_index);
        lock(&self.list(index.list)).revoke(index.index, until);
    }

    /// Forgets what was revoked so long ago that none of it can be taken for good any more.
    pub fn prune(&self, now: Timestamp) {
        let lists: Vec<_> = self.lists.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        for list in lists {
            lock(&list).prune(now);
        }
    }

    /// A list, signed, in which everything is revoked that was revoked before this call. It is signed again where it
    /// has changed, and where the change feed was read a second later than for the one that was signed last; but ten
    /// times a second at most, for which a call waits. Calls at the same time wait for one signature and get the same
    /// list.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a list that is neither in use nor the next; [`Error::Unavailable`] where
    /// the change feed was not read for so long that a list would have expired, or no key may sign.
    pub async fn signed(&self, number: u64, keys: &Keyring, now: Timestamp) -> Result<Arc<SignedList>, Error> {
        let asked = Stopwatch::start();
        loop {
            let as_of = self.as_of(number, now)?;
            let list = self.list(number);
            let wait = {
                let mut list = lock(&list);
                if let Some(kept) = list.signed(as_of, asked) {
                    return Ok(kept);
                }
                let wait = list.signed_lately();
                if wait.is_zero() {
                    let draft = Draft { uri: self.uri(number), as_of, lst: list.compressed()? };
                    let signed = Arc::new(draft.sign(keys, self.algorithm)?);
                    list.keep(&signed);
                    return Ok(signed);
                }
                wait
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// The moment as of which the list is true here.
    fn as_of(&self, number: u64, now: Timestamp) -> Result<Timestamp, Error> {
        let heard = lock(&self.heard);
        if !heard.serves(number) {
            return Err(Error::NotFound("there is no such status list".into()));
        }
        if now.since(heard.as_of) >= LIST_LIFETIME {
            return Err(cut_off());
        }
        Ok(heard.as_of)
    }

    fn list(&self, number: u64) -> Arc<Mutex<List>> {
        if let Some(list) = self.lists.read().unwrap_or_else(PoisonError::into_inner).get(&number) {
            return Arc::clone(list);
        }
        Arc::clone(self.lists.write().unwrap_or_else(PoisonError::into_inner).entry(number).or_default())
    }
}

impl FeedState {
    /// The number of the list that is begun next.
    fn next(&self) -> u64 {
        self.facts.lists.last().map_or(0, |last| last + 1)
    }

    fn serves(&self, number: u64) -> bool {
        self.facts.lists.contains(&number) || number == self.next()
    }
}

fn cut_off() -> Error {
    Error::unavailable("the change feed")
}

/// A panic while one was held cannot leave it half changed: each change is one assignment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
