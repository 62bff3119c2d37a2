//! Follows the issuer's events, so that revocations are known at once and the lists need not be read often.
//!
//! An event counts only when the issuer has signed it. Any error ends the stream. The lists are then read at their own
//! interval again, and the stream is reopened after the last number that was good.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Response, Url};
use tokio::time::{Instant, sleep, timeout_at};

use super::clock::instant;
use super::http::FetchError;
use super::known_state::KnownState;
use super::pace::after_errors;
use super::shared::Shared;
use super::sse::{Event, EventReader};
use super::stream_token::{StreamToken, StreamTokens};
use crate::{Refusal, SecurityEvent, SecurityEventError, SecurityEventToken, StatusListEntry};

/// The wait before the stream is opened again.
const RETRY: Duration = Duration::from_secs(1);

/// Reads the stream repeatedly.
pub(super) struct EventFollower {
    shared: Arc<Shared>,
    endpoint: Url,
    tokens: StreamTokens,
    /// How long the stream may bring nothing new.
    patience: Duration,
    /// The number of the last event.
    last: Option<i64>,
    /// The status indexes that events have revoked and that are not in the memory yet.
    revoked: Vec<StatusListEntry>,
    errors: u32,
}

impl EventFollower {
    pub(super) fn new(shared: Arc<Shared>, endpoint: Url, tokens: StreamTokens, patience: Duration) -> Self {
        Self { shared, endpoint, tokens, patience, last: None, revoked: Vec::new(), errors: 0 }
    }

    /// Follows the events for as long as a handle of the issuer exists.
    pub(super) async fn follow(mut self) {
        loop {
            match self.listen().await {
                // The access token expires soon: the stream is opened again with the next one.
                Ok(()) => continue,
                Err(reason) if self.errors == 0 => tracing::warn!(url = %self.endpoint, %reason, "no events come"),
                Err(reason) => tracing::debug!(url = %self.endpoint, %reason, "still no events come"),
            }
            self.shared.memory.change(KnownState::hear_nothing);
            self.shared.lists_wanted.notify_one();
            self.errors = self.errors.saturating_add(1);
            sleep(after_errors(RETRY, self.errors)).await;
        }
    }

    /// Listens until the access token expires soon, or an error occurs.
    async fn listen(&mut self) -> Result<(), FetchError> {
        let StreamToken { bearer, good_until } = self.tokens.get(&self.shared.http).await?;
        let opened = self.shared.http.open(self.endpoint.clone(), &bearer, self.last).await;
        if let Err(FetchError::Status(401 | 403)) = opened {
            self.tokens.forget();
        }
        self.hear(opened?, good_until).await
    }

    async fn hear(&mut self, mut stream: Response, good_until: Instant) -> Result<(), FetchError> {
        let mut reader = EventReader::default();
        let mut heard = instant();
        loop {
            let silent = heard + self.patience;
            let Ok(piece) = timeout_at(silent.min(good_until), stream.chunk()).await else {
                return if good_until < silent { Ok(()) } else { Err(FetchError::Silent) };
            };
            let Some(piece) = piece? else { return Err(FetchError::Failed("the stream has ended".to_owned())) };
            if self.take_all(&reader.take(&piece)?)? {
                heard = instant();
            }
        }
    }

    /// Takes the events of one piece, and returns whether any of them is new. A good event counts, whatever follows it.
    fn take_all(&mut self, events: &[Event]) -> Result<bool, FetchError> {
        let is_notified = events.iter().try_fold(false, |is_notified, event| Ok(self.take(event)? || is_notified));
        self.note_revoked();
        is_notified
    }

    /// Writes the revoked status indexes to the memory all at once, because many sessions may end together and a write
    /// may copy.
    fn note_revoked(&mut self) {
        if !self.revoked.is_empty() {
            let Shared { memory, clock, .. } = &*self.shared;
            memory.change(|known| known.revoke(&self.revoked, clock.now()));
            self.revoked.clear();
        }
    }

    /// Takes one event, and returns whether it is new. A heartbeat is not new if its time stands still.
    fn take(&mut self, event: &Event) -> Result<bool, FetchError> {
        let token = self.read(&event.data).map_err(|error| FetchError::Failed(error.to_string()))?;
        self.count(event, token.events.contains(&SecurityEvent::Resync))?;
        let mut is_notified = false;
        for event in token.events {
            is_notified |= self.learn(event, token.issued_at);
        }
        Ok(is_notified)
    }

    fn read(&self, token: &str) -> Result<SecurityEventToken, SecurityEventError> {
        let Shared { memory, clock, limits, issuer, key_refresher, .. } = &*self.shared;
        let (known, now) = (memory.snapshot(), clock.now());
        let keys = known.keys(limits, now).map_err(SecurityEventError::Unsigned)?;
        SecurityEventToken::from_token(token, issuer, keys, now).inspect_err(|error| {
            if matches!(error, SecurityEventError::Unsigned(Refusal::UnknownKey { .. })) {
                key_refresher.want();
            }
        })
    }

    /// Notes the number of an event. Numbers only grow, unless the issuer says that it starts over.
    fn count(&mut self, event: &Event, starts_over: bool) -> Result<(), FetchError> {
        let Some(id) = &event.id else { return Ok(()) };
        let number = id.parse().ok().filter(|number| starts_over || self.last.is_none_or(|last| *number >= last));
        if number.is_none() {
            // This stream is not the one that was read before.
            self.last = None;
            self.shared.memory.change(|known| known.lose_the_thread(None));
            return Err(FetchError::Failed(format!("the events are out of order at {id:?}")));
        }
        self.last = number;
        Ok(())
    }

    fn learn(&mut self, event: SecurityEvent, issued_at: i64) -> bool {
        match event {
            SecurityEvent::SessionRevoked(Some(index)) => self.revoked.push(index),
            // The event names no status index, so the lists have to be read.
            SecurityEvent::SessionRevoked(None) => self.want_lists(issued_at),
            SecurityEvent::KeysChanged => self.shared.key_refresher.notify_change(),
            SecurityEvent::Resync => {
                self.want_lists(issued_at);
                self.shared.key_refresher.notify_change();
            }
            SecurityEvent::Heartbeat { as_of } => {
                // Earlier revocations are noted first, because the heartbeat says that all of them are known.
                self.note_revoked();
                let is_notified = self.shared.memory.change(|known| known.take_heartbeat(as_of));
                if is_notified && std::mem::take(&mut self.errors) > 0 {
                    tracing::info!(url = %self.endpoint, "events come again");
                }
                return is_notified;
            }
        }
        true
    }

    /// Requests the lists. Events count again after lists that are newer than this second. However often this is
    /// called, the lists are read at their own interval.
    fn want_lists(&self, since: i64) {
        self.shared.memory.change(|known| known.lose_the_thread(Some(since)));
        self.shared.lists_wanted.notify_one();
    }
}
