//! Follows the JWKS: before it is stale, and when a token names a key that is not in it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::clock::instant;
use super::http::{Caches, Document, Http};
use super::issuer::Shared;
use super::pace::with_jitter;
use crate::KeySet;

/// How much of a JWKS is read, in bytes. Tokenhouse writes about 2,000.
pub(super) const MAX_JWKS_LENGTH: usize = 512 * 1024;
/// For how long a JWKS is kept that does not say so itself.
const USUAL_AGE: Duration = Duration::from_mins(5);
/// For how long a JWKS is kept at most, whatever it says: until then a removed key is still accepted.
const LONGEST_AGE: Duration = Duration::from_hours(1);
/// How long after a change that the issuer has told of the JWKS is read once more.
const SECOND_LOOK: Duration = Duration::from_secs(2);

/// Where those who miss a key meet the follower who reads them.
#[derive(Debug)]
pub(super) struct KeyRefresher {
    wanted: Notify,
    changed: Notify,
    round: watch::Sender<Round>,
    /// How long anybody waits for the follower.
    patience: Duration,
}

/// Why the JWKS is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    /// It may not be kept any longer.
    Due,
    /// A token names a key that is not in it.
    Wanted,
    /// The issuer has told that it is another.
    Changed,
    /// It told so a moment ago.
    ChangedLately,
}

/// Where the follower stands.
#[derive(Debug, Clone, Copy)]
struct Round {
    /// How often the JWKS has been asked for.
    number: u64,
    /// Before this it is not asked for again; `None` while it is being read.
    rests_until: Option<Instant>,
}

impl KeyRefresher {
    /// After a first reading at this moment.
    pub(super) fn new(cool_down: Duration, patience: Duration) -> Self {
        let round = Round { number: 1, rests_until: Some(instant() + cool_down) };
        Self { wanted: Notify::new(), changed: Notify::new(), round: watch::Sender::new(round), patience }
    }

    /// Asks the follower to read the JWKS as soon as the cool-down allows it. Does not wait.
    pub(super) fn want(&self) {
        let is_being_read = self.round.borrow().rests_until.is_none();
        if !is_being_read {
            self.wanted.notify_one();
        }
    }

    /// The issuer has told, and signed it, that its keys are others: they are read at once, whatever the cool-down.
    pub(super) fn notify_change(&self) {
        self.changed.notify_one();
    }

    /// Waits until the JWKS has to be read: when it is due, or wanted, and has rested; or when it is known to be
    /// another.
    async fn turn(&self, due: Instant) -> Reason {
        let rested = self.round.borrow().rests_until.unwrap_or_else(instant);
        let wanted = async {
            self.wanted.notified().await;
            sleep_until(rested).await;
        };
        tokio::select! {
            () = sleep_until(due.max(rested)) => Reason::Due,
            () = wanted => Reason::Wanted,
            () = self.changed.notified() => Reason::Changed,
        }
    }

    /// How often the JWKS has been read, for [`read_since`](Self::read_since).
    pub(super) fn rounds(&self) -> u64 {
        self.round.borrow().number
    }

    /// Waits until the JWKS, which is wanted, has been read once more than `rounds` times. False, at once, when the
    /// cool-down forbids that: whoever makes names of keys up can neither cause requests nor keep requests waiting.
    pub(super) async fn read_since(&self, rounds: u64) -> bool {
        let mut round = self.round.subscribe();
        let Round { number, rests_until } = *round.borrow_and_update();
        if number > rounds {
            return true;
        }
        if rests_until.is_some_and(|until| instant() < until) {
            return false;
        }
        timeout(self.patience, round.wait_for(|round| round.number > rounds)).await.is_ok_and(|round| round.is_ok())
    }
}

/// Reads the JWKS for as long as somebody holds the issuer.
pub(super) async fn follow(shared: Arc<Shared>, mut jwks: Document, mut age: Duration) {
    let (mut reason, mut caches) = (Reason::Due, Caches::MayAnswer);
    loop {
        let refresher = &shared.key_refresher;
        reason = if reason == Reason::Changed {
            // Another instance of the issuer may be a moment behind the one that told of the change.
            sleep(SECOND_LOOK).await;
            Reason::ChangedLately
        } else {
            refresher.turn(instant() + with_jitter(age)).await
        };
        refresher.round.send_modify(|round| round.rests_until = None);
        // What a cache has is not what is looked for, unless it is only due.
        if reason != Reason::Due {
            caches = Caches::MustAsk;
        }
        let result = read(&shared.http, caches, &mut jwks).await;
        if result.is_ok() {
            caches = Caches::MayAnswer;
        }
        jwks.note(&result);
        // After an error the same pace as for a missing key: the keys that are known go on meanwhile.
        age = result.as_ref().map_or(shared.cool_down, |(_, age)| *age);
        if let Ok((keys, _)) = result {
            shared.memory.change(|known| match keys {
                Some(keys) => known.take_keys(keys, shared.clock.now()),
                None => known.keep_keys(shared.clock.now()),
            });
        }
        let rests_until = Some(instant() + shared.cool_down);
        refresher.round.send_modify(|round| *round = Round { number: round.number + 1, rests_until });
    }
}

/// Reads the JWKS: the keys, unless they are still the same, and for how long they may be kept.
pub(super) async fn read(
    http: &Http,
    caches: Caches,
    jwks: &mut Document,
) -> Result<(Option<KeySet>, Duration), String> {
    let answer = http.get_through(caches, jwks).await.map_err(|error| error.to_string())?;
    let age = answer.max_age.unwrap_or(USUAL_AGE).min(LONGEST_AGE);
    let Some(text) = answer.text else { return Ok((None, age)) };
    match KeySet::from_jwks(&text) {
        Ok(keys) => Ok((Some(keys), age)),
        Err(error) => {
            jwks.forget();
            Err(error.to_string())
        }
    }
}
