//! Follows all status lists that the issuer names, at the interval that they ask for.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::http::{Answer, Document, FetchError};
use super::known_state::MAX_LISTS;
use super::origins::Origins;
use super::pace::{after_errors, with_jitter};
use super::shared::Shared;
use crate::status_list::MAX_LIST_LENGTH;

/// The longest list of lists that is read, in bytes.
const MAX_NAMES_LENGTH: usize = 1024 * 1024;
/// How many lists are read at the same time.
const AT_ONCE: usize = 4;
/// The interval while events report revocations.
const PACE_BESIDE_EVENTS: Duration = Duration::from_secs(20);
/// The interval when no list has a `ttl`.
const USUAL_TTL: Duration = Duration::from_secs(2);

/// Reads the lists repeatedly.
pub(super) struct ListFollower {
    shared: Arc<Shared>,
    /// The list of lists (IETF Token Status List, section 9).
    names: Document,
    named: Vec<String>,
    lists: HashMap<String, Document>,
    errors: u32,
}

impl ListFollower {
    pub(super) fn new(shared: Arc<Shared>, aggregation: reqwest::Url) -> Self {
        let names = Document::new(aggregation, "application/json", MAX_NAMES_LENGTH);
        Self { shared, names, named: Vec::new(), lists: HashMap::new(), errors: 0 }
    }

    /// Reads the lists for as long as a handle of the issuer exists, beginning after the first wait.
    pub(super) async fn follow(mut self, mut wait: Duration) {
        loop {
            sleep(wait).await;
            if self.shared.memory.snapshot().is_told_everything() {
                let beside_events = with_jitter(PACE_BESIDE_EVENTS).saturating_sub(wait);
                // A request for the lists is served no sooner than without events.
                drop(timeout(beside_events, self.shared.lists_wanted.notified()).await);
            }
            wait = self.read_all().await;
        }
    }

    /// Reads everything once, and returns how long to wait before the next time.
    pub(super) async fn read_all(&mut self) -> Duration {
        let named = self.read_names().await;
        self.names.note(&named);
        let Round { read, failed } = self.read_lists().await;
        // One broken list among good ones does not slow the others down.
        self.errors = if read == 0 && (failed > 0 || named.is_err()) { self.errors.saturating_add(1) } else { 0 };
        let ttl = self.shared.memory.snapshot().shortest_ttl().unwrap_or(USUAL_TTL);
        after_errors(self.shared.list_pace(ttl), self.errors)
    }

    /// Reads which lists exist. As long as that fails, the previous ones are followed.
    async fn read_names(&mut self) -> Result<(), FetchError> {
        let Some(text) = self.shared.http.get(&mut self.names).await?.text else { return Ok(()) };
        let Aggregation { status_lists } = serde_json::from_str(&text).map_err(|error| {
            self.names.forget();
            FetchError::Failed(error.to_string())
        })?;
        if status_lists == self.named {
            return Ok(());
        }
        let named = admitted(&status_lists, &self.shared.origins);
        self.named = status_lists;
        let now = self.shared.clock.now();
        self.shared.memory.change(|known| {
            known.take_names(named.keys().cloned().collect(), now);
        });
        self.lists.retain(|uri, _| named.contains_key(uri));
        for (uri, list) in named {
            self.lists.entry(uri).or_insert(list);
        }
        Ok(())
    }

    async fn read_lists(&mut self) -> Round {
        let mut round = Round::default();
        let mut waiting: Vec<_> = self.lists.drain().collect();
        let mut reading = JoinSet::new();
        loop {
            while reading.len() < AT_ONCE
                && let Some((uri, list)) = waiting.pop()
            {
                reading.spawn(read(Arc::clone(&self.shared), uri, list));
            }
            let Some(done) = reading.join_next().await else { return round };
            let Ok((uri, mut list, result)) = done else {
                // The task has panicked and its list is lost; reading the names again restores it.
                self.names.forget();
                self.named.clear();
                continue;
            };
            list.note(&result);
            self.lists.insert(uri, list);
            *(if result.is_ok() { &mut round.read } else { &mut round.failed }) += 1;
        }
    }
}

/// How many lists one round read, and how many it failed to read.
#[derive(Default)]
struct Round {
    read: usize,
    failed: usize,
}

#[derive(Deserialize)]
struct Aggregation {
    status_lists: Vec<String>,
}

/// Returns the lists that may be requested, keyed by the URI as the issuer and its tokens spell it.
fn admitted(uris: &[String], origins: &Origins) -> HashMap<String, Document> {
    let mut admitted = HashMap::new();
    for uri in uris {
        if admitted.len() == MAX_LISTS {
            tracing::warn!(limit = MAX_LISTS, "the issuer names more status lists than are followed");
            break;
        }
        let url = match origins.admit("a status list", uri) {
            Ok(url) => url,
            Err(error) => {
                tracing::warn!(%error, "a status list is not followed");
                continue;
            }
        };
        admitted.insert(uri.clone(), Document::new(url, "application/statuslist+jwt", MAX_LIST_LENGTH));
    }
    admitted
}

/// Reads one list into memory, and returns its document for the next time.
async fn read(shared: Arc<Shared>, uri: String, mut list: Document) -> (String, Document, Result<(), String>) {
    let result = match shared.http.get(&mut list).await {
        Ok(Answer { text: Some(text), .. }) => shared.take_list(&text, &uri).inspect_err(|_| list.forget()),
        Ok(Answer { text: None, .. }) => Ok(()),
        Err(error) => Err(error.to_string()),
    };
    (uri, list, result)
}
