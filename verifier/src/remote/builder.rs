//! The settings of an issuer, and its first read.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::clock::Clock;
use super::events::EventFollower;
use super::http::{Caches, Document, Http};
use super::key_refresher::KeyRefresher;
use super::keys::{self, MAX_JWKS_LENGTH};
use super::known_state::{KnownState, Limits, Memory};
use super::lists::ListFollower;
use super::metadata::{EventAddresses, Metadata};
use super::origins::Origins;
use super::shared::Shared;
use super::stream_token::{Credentials, StreamTokens};
use super::{DiscoveryError, Issuer};
use crate::{KeySet, Verifier};

/// How long a revoked status index stays revoked without a list that says so, in seconds: Tokenhouse clears a status
/// index two minutes after the last token that names it has expired. A service with a greater leeway accepts that token
/// for longer, and keeps the status index for as much longer.
const LINGER: i64 = 120;

/// What happens to a token whose revocation is unknown, because its status list could not be read for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnStale {
    /// The token is refused, with status 503. The default: no revoked token is accepted beyond the stated staleness.
    Refuse,
    /// The token is accepted. For services that would rather accept a revoked token, for as long as it lives, than
    /// stand still while the issuer cannot be reached. A token that is known to be revoked is refused all the same.
    Accept,
}

/// The settings of an [`Issuer`]. [`Issuer::builder`] makes one, [`discover`](Self::discover) uses it.
#[derive(Debug, Clone)]
#[must_use]
pub struct IssuerBuilder {
    issuer: String,
    audiences: Vec<String>,
    leeway: u32,
    max_staleness: Duration,
    on_stale: OnStale,
    require_status: bool,
    max_stale_keys: Duration,
    key_cool_down: Duration,
    fastest_poll: Duration,
    timeout: Duration,
    events_as: Option<Credentials>,
    event_silence: Duration,
    origins: Vec<String>,
    clock: Clock,
}

impl Issuer {
    /// Finds the issuer's keys and status lists, for a service that is known by one of `audiences`.
    ///
    /// `issuer` is the issuer's URL, written exactly as its tokens and its metadata write it.
    ///
    /// # Errors
    /// As [`IssuerBuilder::discover`].
    pub async fn discover<A: Into<String>>(
        issuer: impl Into<String>,
        audiences: impl IntoIterator<Item = A>,
    ) -> Result<Self, DiscoveryError> {
        Self::builder(issuer, audiences).discover().await
    }

    /// Makes a builder, for an issuer with other settings than the defaults.
    pub fn builder<A: Into<String>>(
        issuer: impl Into<String>,
        audiences: impl IntoIterator<Item = A>,
    ) -> IssuerBuilder {
        IssuerBuilder::new(issuer.into(), audiences.into_iter().map(Into::into).collect())
    }
}

impl IssuerBuilder {
    pub(super) fn new(issuer: String, audiences: Vec<String>) -> Self {
        Self {
            issuer,
            audiences,
            leeway: 60,
            max_staleness: Duration::from_mins(1),
            on_stale: OnStale::Refuse,
            require_status: false,
            max_stale_keys: Duration::from_hours(24),
            key_cool_down: Duration::from_secs(30),
            fastest_poll: Duration::from_secs(1),
            timeout: Duration::from_secs(5),
            events_as: None,
            event_silence: Duration::from_secs(3),
            origins: Vec::new(),
            clock: Clock::system(),
        }
    }

    /// Sets by how many seconds the clocks of issuer and service may differ. 60 unless set.
    pub fn leeway_seconds(mut self, seconds: u32) -> Self {
        self.leeway = seconds;
        self
    }

    /// Sets how old a status list may be, by its own `iat`, until [`OnStale`] applies. 60 s unless set: that is for how
    /// long Tokenhouse vouches for a list (its `exp`), and longer than an issuer takes to start again.
    ///
    /// This replaces the list's `exp`, which is only checked when the list is read.
    pub fn max_staleness(mut self, limit: Duration) -> Self {
        self.max_staleness = limit;
        self
    }

    /// Sets what happens beyond [`max_staleness`](Self::max_staleness). [`OnStale::Refuse`] unless set.
    pub fn on_stale(mut self, on_stale: OnStale) -> Self {
        self.on_stale = on_stale;
        self
    }

    /// Sets whether a token without `status` is refused. It is accepted unless set, because only the issuer can leave
    /// the claim out; Tokenhouse writes it into every access token.
    pub fn require_status(mut self, required: bool) -> Self {
        self.require_status = required;
        self
    }

    /// Sets how long keys are used that cannot be read again; then all tokens are refused with status 503. 24 h unless
    /// set. An issuer that is down signs nothing either, and a list of revoked tokens goes stale much sooner than this.
    pub fn max_stale_keys(mut self, limit: Duration) -> Self {
        self.max_stale_keys = limit;
        self
    }

    /// Sets the shortest time between two reads of the JWKS. 30 s unless set.
    pub fn key_cool_down(mut self, cool_down: Duration) -> Self {
        self.key_cool_down = cool_down;
        self
    }

    /// Sets the shortest time between two reads of a status list, whatever `ttl` it asks for. 1 s unless set.
    pub fn fastest_poll(mut self, wait: Duration) -> Self {
        self.fastest_poll = wait;
        self
    }

    /// Follows the issuer's events as this client, so that a revoked token is refused at once instead of after the
    /// `ttl` of a list. The client needs the grant `client_credentials` and the scope `tokenhouse:events`.
    ///
    /// The lists are still read, about every 20 s, and by their `ttl` again as soon as no events arrive. Where the
    /// issuer has no events, only the lists are followed, and a warning is logged.
    pub fn follow_events(mut self, client_id: &str, client_secret: &str) -> Self {
        self.events_as = Some(Credentials::new(client_id, client_secret));
        self
    }

    /// Sets how long the stream may bring no new event or heartbeat before it is given up. 3 s unless set: Tokenhouse
    /// sends a heartbeat each second.
    pub fn event_silence(mut self, limit: Duration) -> Self {
        self.event_silence = limit;
        self
    }

    /// Sets how long a request to the issuer may take. 5 s unless set.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Lets the issuer's metadata name addresses at this origin too (`https://cdn.example.com`). Unless set, requests
    /// go only to the issuer's own origin.
    pub fn allow_origin(mut self, origin: impl Into<String>) -> Self {
        self.origins.push(origin.into());
        self
    }

    /// Sets where the time comes from, for tests. The system's clock unless set.
    pub fn clock(mut self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Clock::new(now);
        self
    }

    /// Reads the issuer's metadata, keys and status lists, and keeps reading them in the background until the last
    /// clone of the [`Issuer`] is dropped. The background tasks run on the Tokio runtime that this is called on.
    ///
    /// A status list that cannot be read now is no error: tokens that name it are refused with status 503 until it can
    /// be read.
    ///
    /// # Errors
    /// A [`DiscoveryError`] when the metadata or the keys cannot be read or are not as they should be.
    pub async fn discover(self) -> Result<Issuer, DiscoveryError> {
        let origins = Origins::new(&self.issuer, &self.origins)?;
        let http = Http::new(self.timeout).map_err(|error| DiscoveryError::Client(error.to_string()))?;
        let Metadata { jwks_uri, status_lists, events } = Metadata::read(&http, &self.issuer, &origins).await?;
        let mut jwks = Document::new(jwks_uri.clone(), "application/json", MAX_JWKS_LENGTH);
        let unreadable = |reason| DiscoveryError::unreadable(jwks_uri, reason);
        let (keys, age) = match keys::read(&http, Caches::MayAnswer, &mut jwks).await {
            Ok((Some(keys), age)) => (keys, age),
            Ok((None, _)) => return Err(unreadable("there is nothing new".to_owned())),
            Err(reason) => return Err(unreadable(reason)),
        };
        let (events_as, silence) = (self.events_as.clone(), self.event_silence);
        let shared = Arc::new(self.share(origins, http, keys));

        let mut followers = JoinSet::new();
        if let Some(url) = status_lists {
            let mut lists = ListFollower::new(Arc::clone(&shared), url);
            let wait = lists.read_all().await;
            followers.spawn(lists.follow(wait));
        } else {
            tracing::warn!(issuer = shared.issuer, "the issuer has no status lists");
        }
        followers.spawn(keys::follow(Arc::clone(&shared), jwks, age));
        match (events_as, events) {
            (Some(credentials), Some(EventAddresses { stream, tokens })) => {
                let tokens = StreamTokens::new(tokens, credentials);
                followers.spawn(EventFollower::new(Arc::clone(&shared), stream, tokens, silence).follow());
            }
            (Some(_), None) => tracing::warn!(issuer = shared.issuer, "the issuer has no events; its lists are read"),
            (None, _) => {}
        }
        Ok(Issuer::new(shared, followers))
    }

    fn share(self, origins: Origins, http: Http, keys: KeySet) -> Shared {
        let limits = Limits {
            max_staleness: seconds(self.max_staleness),
            max_stale_keys: seconds(self.max_stale_keys),
            accept_stale: self.on_stale == OnStale::Accept,
            require_status: self.require_status,
            linger: LINGER.max(i64::from(self.leeway).saturating_add(60)),
        };
        // Lists are read three times within the limit, so that one lost answer does no harm.
        let slowest_poll = (self.max_staleness / 3).max(self.fastest_poll);
        Shared {
            verifier: Verifier::new(&self.issuer, &self.audiences).with_leeway_seconds(self.leeway),
            memory: Memory::new(KnownState::new(keys, self.clock.now())),
            key_refresher: KeyRefresher::new(self.key_cool_down, 2 * self.timeout),
            cool_down: self.key_cool_down,
            lists_wanted: Notify::new(),
            polls: self.fastest_poll..=slowest_poll,
            issuer: self.issuer,
            clock: self.clock,
            limits,
            origins,
            http,
        }
    }
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}
