//! The state that the handles of an issuer share with its followers.

use std::ops::RangeInclusive;
use std::time::Duration;

use tokio::sync::Notify;

use super::clock::Clock;
use super::http::Http;
use super::key_refresher::KeyRefresher;
use super::known_state::{Limits, Memory};
use super::origins::Origins;
use crate::{Refusal, StatusList, StatusListError, Verifier};

/// The state of one issuer.
pub(super) struct Shared {
    pub(super) issuer: String,
    pub(super) verifier: Verifier,
    pub(super) limits: Limits,
    pub(super) memory: Memory,
    pub(super) key_refresher: KeyRefresher,
    pub(super) cool_down: Duration,
    /// Wakes the follower of the lists, if it waits at the slower interval beside events.
    pub(super) lists_wanted: Notify,
    /// How often the lists are read: the shortest and the longest wait.
    pub(super) polls: RangeInclusive<Duration>,
    pub(super) origins: Origins,
    pub(super) http: Http,
    pub(super) clock: Clock,
}

impl Shared {
    /// Verifies a list that was read from `uri`, and takes it into the memory.
    pub(super) fn take_list(&self, token: &str, uri: &str) -> Result<(), String> {
        let (known, now) = (self.memory.snapshot(), self.clock.now());
        let keys = known.keys(&self.limits, now).map_err(|refusal| refusal.to_string())?;
        let list = StatusList::from_token(token, uri, keys, now).map_err(|error| {
            if matches!(error, StatusListError::Unsigned(Refusal::UnknownKey { .. })) {
                self.key_refresher.want();
            }
            error.to_string()
        })?;
        self.memory.change(|known| known.take_list(list, &self.limits, now));
        Ok(())
    }

    /// Returns the wait until the next read of lists with this `ttl`.
    pub(super) fn list_pace(&self, ttl: Duration) -> Duration {
        ttl.clamp(*self.polls.start(), *self.polls.end())
    }
}
