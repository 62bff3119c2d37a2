//! Settings of instances to be broken, and the ports at which their stores are reached.

use std::time::Duration;

use tokenhouse::config::{self, Config};
use tokenhouse::model::Secret;

use crate::support;

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
