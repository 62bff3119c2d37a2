//! What the handles of an issuer and its followers share.

use std::ops::RangeInclusive;
use std::time::Duration;

use tokio::sync::Notify;

use super::clock::Clock;
use super::http::Http;
use super::key_refresher::KeyRefresher;
use super::known_state::{Limits, Memory};
use super::origins::Origins;
use crate::{Refusal, StatusList, StatusListError, Verifier};

/// What the handles and the followers have in common.
pub(super) struct Shared {
    pub(super) issuer: String,
    pub(super) verifier: Verifier,
    pub(super) limits: Limits,
    pub(super) memory: Memory,
    pub(super) key_refresher: KeyRefresher,
    pub(super) cool_down: Duration,
    /// Wakes the one who reads the lists, if they are read at a slower pace.
    pub(super) lists_wanted: Notify,
    /// How often the lists are read: the shortest and the longest wait.
    pub(super) polls: RangeInclusive<Duration>,
    pub(super) origins: Origins,
    pub(super) http: Http,
    pub(super) clock: Clock,
}

impl Shared {
    /// Takes a list that was read from its address.
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

    /// How long to wait until the next reading, where lists ask for this pace.
    pub(super) fn list_pace(&self, ttl: Duration) -> Duration {
        ttl.clamp(*self.polls.start(), *self.polls.end())
    }
}
