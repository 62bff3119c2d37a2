//! The shared Redis server; each test has its own key prefix.

use std::time::Duration;

use tokenhouse::store::EphemeralStore;
use tokenhouse::store::redis::RedisEphemeral;
pub use tokenhouse::store::redis::RedisSettings;

/// Settings for the shared server, with a prefix of their own.
pub fn settings() -> RedisSettings {
    settings_for(&super::server("TEST_REDIS_URL"))
}

/// Settings for the server at `url`, with a prefix of their own.
pub fn settings_for(url: &str) -> RedisSettings {
    RedisSettings {
        url: url.to_owned(),
        key_prefix: format!("{}:", super::fresh_name("t")),
        connect_timeout: Duration::from_secs(2),
        command_timeout: Duration::from_secs(2),
    }
}

/// The ephemeral store with an open replay gate.
pub async fn open(settings: RedisSettings) -> RedisEphemeral {
    let ephemeral = RedisEphemeral::connect(settings).await.unwrap();
    assert!(ephemeral.needs_replay().await.unwrap(), "an instance begins un-replayed");
    ephemeral.replayed().await;
    ephemeral
}

/// A plain connection, to look behind the scenes.
pub async fn raw(url: &str) -> redis::aio::MultiplexedConnection {
    redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap()
}
