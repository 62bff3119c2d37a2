//! The hot state in Redis or Valkey: one atomic script on one key per operation, so that Redis Cluster works.

use std::time::Duration;

use super::StoreError;

/// Settings of the connection.
#[derive(Debug, Clone)]
pub struct RedisSettings {
    /// `redis://` or `rediss://` URL.
    pub url: String,
    /// Before every key, so that several installations can share a server.
    pub key_prefix: String,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long one operation may take.
    pub command_timeout: Duration,
}

/// The hot state in Redis.
pub struct RedisHot {}

impl RedisHot {
    /// Connects. The server may be away: operations then answer [`StoreError::Unavailable`] until it is back.
    pub async fn connect(settings: RedisSettings) -> Result<Self, StoreError> {
        let _ = settings;
        todo!()
    }
}
