//! Where those who miss a key meet the follower that reads the JWKS.

use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::clock::instant;

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
pub(super) enum Reason {
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
    pub(super) async fn turn(&self, due: Instant) -> Reason {
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

    /// The JWKS is being read from now on.
    pub(super) fn begin_reading(&self) {
        self.round.send_modify(|round| round.rests_until = None);
    }

    /// The JWKS has been read, and is not read again before `rests_until`.
    pub(super) fn end_reading(&self, rests_until: Instant) {
        let rests_until = Some(rests_until);
        self.round.send_modify(|round| *round = Round { number: round.number + 1, rests_until });
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
