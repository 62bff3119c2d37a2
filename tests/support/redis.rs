//! The shared Redis server; each test has its own key prefix.

use std::time::Duration;

use tokenhouse::store::HotState;
use tokenhouse::store::redis::RedisHot;
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

/// The hot state with an open replay gate.
pub async fn open(settings: RedisSettings) -> RedisHot {
    let hot = RedisHot::connect(settings).await.unwrap();
    assert!(hot.needs_replay().await.unwrap(), "an instance begins un-replayed");
    hot.replayed().await;
    hot
}

/// A plain connection, to look behind the scenes.
pub async fn raw(url: &str) -> redis::aio::MultiplexedConnection {
    redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap()
}
