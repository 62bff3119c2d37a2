//! Instances behind a balancer, and services that follow them through it.

use std::time::Duration;

use reqwest::Client;
use serde_json::{Value, json};
use test_support::balancer::Balancer;
use test_support::cluster::Cluster;
use test_support::installation::Installation;
use tokenhouse::audit::Actor;
use tokenhouse::clients;
use tokenhouse::model::Secret;
use tokenhouse::protocol::GrantType;
use tokenhouse_verifier::Issuer;
use tokenhouse_verifier::remote::IssuerBuilder;
use tokio::time::{Instant, sleep};

use crate::process::Process;
use crate::proxy::Proxy;
use crate::server::{Backend, Pair, USER, new_client};

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(15);

/// Longer than any test.
pub const NEVER: Duration = Duration::from_hours(1);

/// A cluster, and the way to it.
pub struct Deployment {
    pub cluster: Cluster<Process>,
    /// The way from the services to the balancer.
    pub way: Proxy,
    _balancer: Balancer,
    secret: String,
    http: Client,
}

impl Deployment {
    /// Starts two instances on servers, or one on an embedded store.
    pub async fn open(backend: Backend, redis: Option<String>) -> Self {
        let balancer = Balancer::start().await;
        let way = Proxy::to(balancer.address);
        let mut installation = Installation::for_processes(backend).await;
        installation.config.issuer = format!("http://{}", way.address());
        installation.config.keys.jwks_max_age = "1s".parse().unwrap();
        if let Some(url) = redis {
            installation.config.redis.url = Some(Secret::new(url));
        }
        let secret = add_listener(&installation).await;
        let cluster = Cluster::of_processes(installation, |_, _| {}).await;
        balancer.lead_to(cluster.addresses());
        let http = Client::builder().timeout(Duration::from_secs(5)).build().unwrap();
        Self { cluster, way, _balancer: balancer, secret, http }
    }

    pub async fn close(self) {
        self.cluster.close().await;
    }

    /// A service that follows the lists.
    pub fn service(&self) -> IssuerBuilder {
        let issuer = &self.cluster.installation.config.issuer;
        Issuer::builder(issuer, [issuer]).timeout(Duration::from_secs(1))
    }

    /// A service that follows the events.
    pub fn listener(&self) -> IssuerBuilder {
        self.service().follow_events("listener", &self.secret)
    }

    /// One that follows the lists, one that follows the events, and one that has read the lists once and knows the rest
    /// from events alone.
    pub async fn services(&self) -> Vec<Issuer> {
        let by_events_alone = self.listener().fastest_poll(NEVER).max_staleness(NEVER);
        all([self.service(), self.listener(), by_events_alone]).await
    }

    /// Signs the user in, at the first instance that answers.
    pub async fn sign_in(&self) -> Pair {
        let (username, password) = USER;
        let answer = self.post("/api/token/", &json!({ "username": username, "password": password })).await;
        let token = |name: &str| answer[name].as_str().unwrap().to_owned();
        Pair { access: token("access"), refresh: token("refresh") }
    }

    /// Ends the session; it is over when this returns.
    pub async fn end(&self, pair: &Pair) {
        self.post("/api/token/blacklist/", &json!({ "refresh": pair.refresh })).await;
    }

    /// Asks the instances in turn until one says yes. Not by the way of the services.
    async fn post(&self, path: &str, body: &Value) -> Value {
        let addresses = self.cluster.addresses();
        let until = Instant::now() + PATIENCE;
        for address in addresses.iter().cycle() {
            let answer = self.http.post(format!("http://{address}{path}")).json(body).send().await;
            match answer {
                Ok(answer) if answer.status() == 200 => return answer.json().await.unwrap(),
                Ok(answer) if answer.status() != 503 => panic!("{path}: {}", answer.text().await.unwrap()),
                _ => assert!(Instant::now() < until, "{path} is not served"),
            }
            sleep(Duration::from_millis(20)).await;
        }
        unreachable!()
    }
}

/// Sets them all up.
pub async fn all<const N: usize>(services: [IssuerBuilder; N]) -> Vec<Issuer> {
    let mut issuers = Vec::new();
    for service in services {
        issuers.push(service.discover().await.unwrap());
    }
    issuers
}

/// The client with which services ask for events.
async fn add_listener(installation: &Installation) -> String {
    let ctx = installation.open().await;
    let new = new_client("listener", &[GrantType::ClientCredentials], "tokenhouse:events");
    let (_, secret) = clients::add(&ctx, new, Actor::System).await.unwrap();
    ctx.store.database.close().await;
    secret.unwrap().expose().to_owned()
}

/// Waits until it is so.
pub async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < until, "in vain: {what}");
        sleep(Duration::from_millis(10)).await;
    }
}
