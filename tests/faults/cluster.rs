//! Instances of one server in this process, each with its own ways to the stores.

use std::time::Duration;

use serde_json::Value;
use tokenhouse::app::serve::{Mode, Running, start};
use tokenhouse::config::{self, Config};
use tokenhouse::ctx::Ctx;
use tokenhouse::model::{PageRequest, Secret};
use tokenhouse::store::Database;

use crate::checks::{self, Allowed};
use crate::clients::Instances;
use crate::server::{Backend, TestServer};
use crate::support;

/// A server with two instances.
pub struct Cluster {
    pub server: TestServer,
    pub other: Running,
    pub instances: Instances,
}

impl Cluster {
    /// Opens both. `settings` is told which instance it is for: 0 or 1.
    pub async fn open(backend: Backend, settings: impl Fn(&mut Config, usize)) -> Self {
        let server = TestServer::open(backend, &|config| settings(config, 0)).await;
        let mut config = server.config.clone();
        settings(&mut config, 1);
        let other = start(config, server.clock.clone(), Mode::Production).await.unwrap();
        let instances = Instances::of(&[server.running.address, other.address]);
        Self { server, other, instances }
    }

    pub fn ctx(&self) -> &Ctx {
        self.server.ctx()
    }

    /// The sessions that the audit says were ended for reuse.
    pub async fn reused(&self) -> Vec<String> {
        reused(&self.ctx().store.database).await
    }

    /// Checks every invariant.
    pub async fn check(&self, allowed: Allowed) {
        checks::assert_all(&self.instances.history, allowed, &self.reused().await);
    }

    pub async fn close(self) {
        self.other.stop().await;
        self.server.close().await;
    }
}

/// The sessions that the audit says were ended for reuse, one entry an event.
pub async fn reused(database: &Database) -> Vec<String> {
    let mut sessions = Vec::new();
    let mut page = PageRequest::new(None, Some(PageRequest::MAX));
    loop {
        let found = database.list_audit(&page).await.unwrap();
        let events: Vec<Value> = found.items.into_iter().map(|record| record.event).collect();
        let reuses = events.iter().filter(|event| event["event"] == "refresh_reused");
        sessions.extend(reuses.map(|event| event["session"].as_str().unwrap().to_owned()));
        page.after = found.next;
        if page.after.is_none() {
            return sessions;
        }
    }
}

/// As impatient as in production; the servers of other tests are not.
pub fn impatient(config: &mut Config) {
    let defaults = Config::default();
    config.database.acquire_timeout = defaults.database.acquire_timeout;
    config.database.statement_timeout = defaults.database.statement_timeout;
    config.redis.command_timeout = defaults.redis.command_timeout;
    config.redis.connect_timeout = defaults.redis.connect_timeout;
    config.shutdown.drain = config::Duration::seconds(1);
}

/// Redis is reached by this port.
pub fn redis_by(config: &mut Config, port: u16) {
    config.redis.url = Some(Secret::new(format!("redis://127.0.0.1:{port}")));
}

/// The database is reached by this port.
pub fn database_by(config: &mut Config, port: u16) {
    let mut url = url::Url::parse(config.database.url.expose()).unwrap();
    url.set_port(Some(port)).unwrap();
    config.database.url = Secret::new(url.to_string());
}

/// The port of the shared `PostgreSQL` server.
pub fn shared_postgres() -> u16 {
    url::Url::parse(&support::postgres::url_of("any")).unwrap().port().unwrap_or(5432)
}

/// Lets the load go on.
pub async fn pass(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

/// The port at the end of a URL.
pub fn port_of(url: &str) -> u16 {
    url.rsplit(':').next().unwrap().parse().unwrap()
}
