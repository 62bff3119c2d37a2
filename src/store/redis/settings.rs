//! How Redis is reached.

use std::fmt;
use std::time::Duration;

/// Settings of the connection.
#[derive(Clone)]
pub struct RedisSettings {
    /// `redis://` or `rediss://` URL. It may hold a password, so it is never printed.
    pub url: String,
    /// Before every key, so that several installations can share a server.
    pub key_prefix: String,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long one operation may take.
    pub command_timeout: Duration,
}

/// Without the URL, which may hold a password.
impl fmt::Debug for RedisSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisSettings")
            .field("key_prefix", &self.key_prefix)
            .field("connect_timeout", &self.connect_timeout)
            .field("command_timeout", &self.command_timeout)
            .finish_non_exhaustive()
    }
}
