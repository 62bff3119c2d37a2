//! Verifiers like those of services, each of which verifies the same token repeatedly until it refuses it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tokenhouse_verifier::{Issuer, Refusal};
use tokio::runtime::Runtime;

use crate::times::now;

/// The pause of a service between two requests.
const REST: Duration = Duration::from_millis(2);

/// The services, on a thread of their own.
pub(crate) struct Fleet {
    services: Vec<Arc<Service>>,
    _runtime: Runtime,
}

struct Service {
    issuer: Issuer,
    watched: Mutex<Watched>,
}

/// The token that is verified, and the results.
#[derive(Default)]
struct Watched {
    token: String,
    accepted: u64,
    refused: Option<(Instant, Refusal)>,
}

impl Fleet {
    /// Starts verifiers for the issuer `base`, which follow its lists, and with credentials its events too.
    pub(crate) fn start(base: &str, verifiers: u32, follower: Option<(&str, &str)>) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let services = runtime.block_on(async {
            let mut services = Vec::new();
            for _ in 0..verifiers {
                let mut builder = Issuer::builder(base, [base]).require_status(true);
                if let Some((client, secret)) = follower {
                    builder = builder.follow_events(client, secret);
                }
                let service = Service { issuer: builder.discover().await?, watched: Mutex::default() };
                services.push(Arc::new(service));
            }
            anyhow::Ok(services)
        })?;
        for service in &services {
            runtime.spawn(Arc::clone(service).answer_requests());
        }
        Ok(Self { services, _runtime: runtime })
    }

    /// Lets each service verify this token from now on.
    pub(crate) fn watch(&self, token: &str) {
        for service in &self.services {
            service.change(|watched| *watched = Watched { token: token.to_owned(), ..Watched::default() });
        }
    }

    /// Waits until every service has accepted the token under load.
    pub(crate) fn accepts_everywhere(&self) -> Result<()> {
        let since = now();
        while !self.services.iter().all(|service| service.change(|watched| watched.accepted >= 10)) {
            ensure!(since.elapsed() < Duration::from_secs(10), "a token is not accepted: {:?}", self.first_refusal());
            std::thread::sleep(REST);
        }
        Ok(())
    }

    /// Returns how long after `since` each service refused the token.
    pub(crate) fn refusals(&self, since: Instant, patience: Duration) -> Result<Vec<Duration>> {
        self.services.iter().map(|service| service.refusal(since, patience)).collect()
    }

    fn first_refusal(&self) -> Option<Refusal> {
        let mut refusals = self.services.iter().filter_map(|service| service.change(|watched| watched.refused.clone()));
        refusals.next().map(|(_, refusal)| refusal)
    }
}

impl Service {
    async fn answer_requests(self: Arc<Self>) {
        loop {
            let token = self.change(|watched| watched.refused.is_none().then(|| watched.token.clone()));
            if let Some(token) = token.filter(|token| !token.is_empty()) {
                let verdict = self.issuer.verify(&token);
                let at = now();
                self.change(|watched| match verdict {
                    // The watched token has changed meanwhile.
                    _ if watched.token != token => {}
                    Ok(_) => watched.accepted += 1,
                    Err(refusal) => watched.refused = Some((at, refusal)),
                });
            }
            tokio::time::sleep(REST).await;
        }
    }

    fn refusal(&self, since: Instant, patience: Duration) -> Result<Duration> {
        while since.elapsed() < patience {
            match self.change(|watched| watched.refused.clone()) {
                Some((at, Refusal::Revoked)) => return Ok(at.saturating_duration_since(since)),
                Some((_, other)) => bail!("it was refused for another reason: {other}"),
                None => std::thread::sleep(REST),
            }
        }
        None.context("a verifier went on accepting a revoked token")
    }

    fn change<T>(&self, change: impl FnOnce(&mut Watched) -> T) -> T {
        change(&mut self.watched.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
