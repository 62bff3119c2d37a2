//! Publishes which unexpired access tokens were revoked, as signed lists of bits (IETF Token Status List,
//! draft-ietf-oauth-status-list-20), so that services that verify offline refuse them too.
//!
//! This module holds memory and makes signatures; it asks no store. The code that ends a session reports it here, and
//! the change feed reports the ends of the other instances. `list.rs` is one list, `signed.rs` the token that carries
//! it.
//!
//! Every access token names its status index (`status.status_list`): that of its session, or that of the client where
//! there is no session. `/status/{list}` serves a signed list of 2^17 bits. This instance sets a bit in memory before
//! it acknowledges the end. The other instances set it when they read the change feed, at once on PostgreSQL and within
//! a second otherwise; they read the feed row together with the session's row. An instance reads all recent ends when
//! it starts. A bit stays set for as long as a token with that status index could be accepted: the longest lifetime
//! that the client or the configuration gave to access tokens lately, one minute for clocks, and one minute for which a
//! list is valid.
//!
//! # A client's own tokens
//!
//! Tokens without a session are revoked when the client's `not_before` rises (it was revoked, disabled, or everything
//! was revoked), when the client loses a scope or an audience, and when it is removed. In the same transaction the
//! client's status index is recorded as revoked, and the client gets another one, so that later tokens are good. The
//! feed tells the other instances. The record of the revoked index is removed when no such token can be alive.
//!
//! # `iat` is the time as of which a list is true
//!
//! `iat` is the time at which this instance last began to read the change feed to its end. An instance that is cut off
//! from the database therefore vouches for nothing that it cannot know: it serves its last list until that expires, and
//! then answers 503.
//!
//! A list is compressed again when it has changed. It is signed once a second at most while unchanged, and only when it
//! is requested; ten times a second at most while it changes. A request then waits, so that it never gets a list that
//! lacks an end acknowledged before it. The list after the newest one is served too, so that services can hold it
//! before its first token is issued.
//!
//! # When a list is dropped
//!
//! A list is dropped at the earliest 25 h after it was closed, which happens once the next one was begun, and when no
//! session, client or revoked token has its status index there (`store/sql/status.rs`; an index of sessions by list
//! makes that query cheap). An instance uses the status indexes of a lease for 24 h, and discards the rest.
//!
//! # What remains
//!
//! - An instance that has not yet heard that a client's tokens were revoked issues some more with the previous status
//!   index. These are revoked from the start, so nothing is accepted that should not be.
//! - An instance that has not read the feed for a minute answers 503 to `client_credentials`, because a token issued
//!   then would outlive its bit.
//! - Where a client's tokens are revoked *before a given time* and one of them can be alive, all that it holds are
//!   refused, offline and by introspection: they share one status index. The client obtains others.
//! - An instance that reads a lagging standby, or a restored database that has issued a status index before, cannot
//!   know better. `docs/operations.md` says what to do.

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

/// How soon services that follow the lists refuse what was revoked. The other instances read of it within a second, a
/// cache may keep a list for a second, and services fetch every two seconds. One more second is for transport.
pub const REFUSED_WITHIN: Duration = Duration::from_secs(5);

pub struct StatusLists {
    /// The address of all lists. The address of one list is one segment longer.
    endpoint: String,
    algorithm: SigningAlgorithm,
    lists: RwLock<BTreeMap<u64, Arc<Mutex<List>>>>,
    heard: Mutex<FeedState>,
}

#[derive(Debug, Default)]
struct FeedState {
    facts: StatusFacts,
    /// Everything that was revoked before this time has been read.
    as_of: Timestamp,
    /// When this instance learned that.
    since: Option<Stopwatch>,
}

impl StatusLists {
    /// Creates lists in which nothing is revoked. None is served before [`vouch`](Self::vouch) is called.
    #[must_use]
    pub fn new(issuer: &str, algorithm: SigningAlgorithm) -> Self {
        let endpoint = format!("{}/status", issuer.trim_end_matches('/'));
        // Until the lifetime of tokens is read from the database, the longest possible one applies.
        let facts = StatusFacts { longest_access_lifetime: MAX_ACCESS_LIFETIME, ..StatusFacts::default() };
        let heard = Mutex::new(FeedState { facts, ..FeedState::default() });
        Self { endpoint, algorithm, lists: RwLock::default(), heard }
    }

    /// Returns the `uri` of a list (section 6.2).
    #[must_use]
    pub fn uri(&self, number: u64) -> String {
        format!("{}/{number}", self.endpoint)
    }

    /// Returns the addresses of all lists in which a token may have its status index, and of the next list: verifiers
    /// can hold that one before its first token is issued (section 9).
    #[must_use]
    pub fn uris(&self) -> Vec<String> {
        let heard = lock(&self.heard);
        heard.facts.lists.iter().chain([&heard.next()]).map(|number| self.uri(*number)).collect()
    }

    /// Stores what the database contains about all lists, and forgets those that it has dropped.
    pub fn learn(&self, facts: StatusFacts) {
        let mut heard = lock(&self.heard);
        heard.facts = facts;
        let mut lists = self.lists.write().unwrap_or_else(PoisonError::into_inner);
        // A list may have been begun after the database was read.
        lists.retain(|number, _| heard.serves(*number) || *number > heard.next());
    }

    /// Records that the change feed was read to its end, that this began at `as_of`, and that everything it reported
    /// has been revoked here.
    pub fn vouch(&self, as_of: Timestamp) {
        let mut heard = lock(&self.heard);
        (heard.as_of, heard.since) = (as_of, Some(Stopwatch::start()));
    }

    /// Checks that the change feed was read within the time for which a list is valid. An instance that is cut off for
    /// longer may issue tokens with a status index that is already revoked, and such a token would outlive its bit.
    pub fn hears(&self) -> Result<(), Error> {
        let since = lock(&self.heard).since;
        since.filter(|since| since.elapsed() < LIST_LIFETIME).map(drop).ok_or_else(cut_off)
    }

    /// Returns the longest lifetime of an access token. `own` is the longest lifetime that its client gives, where the
    /// client has one of its own.
    #[must_use]
    pub fn longest_lifetime(&self, own: Option<Duration>) -> Duration {
        let default = lock(&self.heard).facts.longest_access_lifetime;
        own.map_or(default, |own| own.max(default))
    }

    /// Returns until when the bit of tokens that were revoked at `at` must stay set: until the last of them has expired
    /// by every verifier's clock, and no list without the bit is valid any more. `own` is as for
    /// [`longest_lifetime`](Self::longest_lifetime).
    #[must_use]
    pub fn needed_until(&self, at: Timestamp, own: Option<Duration>) -> Timestamp {
        at.plus(self.longest_lifetime(own) + TOLD_AFTER_EXPIRY)
    }

    /// Returns the time before which a revocation needs no bit any more, however long its tokens lived.
    #[must_use]
    pub fn forgettable_before(&self, now: Timestamp) -> Timestamp {
        now.minus(MAX_ACCESS_LIFETIME + TOLD_AFTER_EXPIRY)
    }

    pub fn revoke(&self, status_index: i64, until: Timestamp) {
        let index = StatusIndex::of(status_index);
        lock(&self.list(index.list)).revoke(index.index, until);
    }

    /// Clears the bits of tokens that no verifier can accept any more.
    pub fn prune(&self, now: Timestamp) {
        let lists: Vec<_> = self.lists.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        for list in lists {
            lock(&list).prune(now);
        }
    }

    /// Returns a signed list that contains everything that was revoked before this call.
    ///
    /// The list is signed again when it has changed, and when the change feed was read a second later than for the last
    /// signature. It is signed ten times a second at most, for which a call waits. Concurrent calls wait for one
    /// signature and get the same list.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a list that is neither in use nor the next one. [`Error::Unavailable`] where the change
    /// feed was not read for so long that a list would have expired, or no key may sign.
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

/// Ignores poisoning: each change is one assignment, so a panic cannot leave the value half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
