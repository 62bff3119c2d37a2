//! Coordinates the requests that miss a key with the follower that reads the JWKS.

use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::clock::instant;

/// The state that requests for a missing key share with the follower of the JWKS.
#[derive(Debug)]
pub(super) struct KeyRefresher {
    wanted: Notify,
    changed: Notify,
    round: watch::Sender<Round>,
    /// How long a request waits for the follower at most.
    patience: Duration,
}

/// Why the JWKS is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// It has reached its greatest age.
    Due,
    /// A token names a key that is not in it.
    Wanted,
    /// The issuer has announced a change.
    Changed,
    /// The issuer announced a change a moment ago, and the JWKS is read a second time.
    ChangedLately,
}

/// The state of the follower.
#[derive(Debug, Clone, Copy)]
struct Round {
    /// How often the JWKS has been read.
    number: u64,
    /// The end of the cool-down; `None` while the JWKS is being read.
    rests_until: Option<Instant>,
}

impl KeyRefresher {
    /// Makes a refresher at the end of the first read.
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

    /// Requests a read at once, whatever the cool-down, because the issuer has announced a change in a signed event.
    pub(super) fn notify_change(&self) {
        self.changed.notify_one();
    }

    /// Waits until the JWKS has to be read: when it is due or wanted and the cool-down is over, or when it is known to
    /// have changed.
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

    /// Marks the beginning of a read.
    pub(super) fn begin_reading(&self) {
        self.round.send_modify(|round| round.rests_until = None);
    }

    /// Marks the end of a read, and the end of the cool-down that follows it.
    pub(super) fn end_reading(&self, rests_until: Instant) {
        let rests_until = Some(rests_until);
        self.round.send_modify(|round| *round = Round { number: round.number + 1, rests_until });
    }

    /// Returns how often the JWKS has been read, for [`read_since`](Self::read_since).
    pub(super) fn rounds(&self) -> u64 {
        self.round.borrow().number
    }

    /// Waits until the JWKS, which was requested before, has been read more than `rounds` times. Returns false at once
    /// within the cool-down, so that invented key names can neither cause requests nor delay answers.
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
