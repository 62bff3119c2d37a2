//! The settings of the Redis connection.

use std::fmt;
use std::time::Duration;

#[derive(Clone)]
pub struct RedisSettings {
    /// `redis://` or `rediss://` URL. It may contain a password, so it is never printed.
    pub url: String,
    /// The prefix of every key, so that several deployments can share a server.
    pub key_prefix: String,
    pub connect_timeout: Duration,
    pub command_timeout: Duration,
}

impl fmt::Debug for RedisSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisSettings")
            .field("key_prefix", &self.key_prefix)
            .field("connect_timeout", &self.connect_timeout)
            .field("command_timeout", &self.command_timeout)
            .finish_non_exhaustive()
    }
}
