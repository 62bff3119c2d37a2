//! `[redis]`

use url::Url;

use crate::config::declare::{require, settings};
use crate::config::duration::Duration;
use crate::model::Secret;

settings! {
    /// Redis holds the state of refresh tokens and other short-lived state, where it is used.
    pub struct Redis {
        /// Where Redis is: `redis://` or `rediss://` (TLS). Unless set, the database holds that state.
        url: Option<Secret> = None, env "REDIS_URL", check url_of_redis;
        /// What the name of every Redis key begins with, so that one Redis can serve several deployments.
        key_prefix: String = "th:".to_owned(), check prefix;
        /// How long a new connection to Redis may take.
        connect_timeout: Duration = Duration::millis(250), in Duration::millis(1)..=Duration::minutes(1);
        /// How long Redis may take to answer before the request is answered 503.
        command_timeout: Duration = Duration::millis(100), in Duration::millis(1)..=Duration::minutes(1);
    }
}

fn url_of_redis(url: &Secret) -> Result<(), String> {
    const SCHEMES: [&str; 7] = ["redis", "rediss", "valkey", "valkeys", "redis+unix", "valkey+unix", "unix"];
    let is_known = Url::parse(url.expose()).is_ok_and(|url| SCHEMES.contains(&url.scheme()));
    require(is_known, "must be a URL that begins with redis:// or rediss://")
}

/// Braces would put a key into another slot of a Redis Cluster than its neighbours.
fn prefix(prefix: &str) -> Result<(), String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b":._-/".contains(&byte);
    let is_sound = prefix.len() <= 64 && prefix.bytes().all(is_plain);
    require(is_sound, "has at most 64 letters, digits and `:._-/`")
}
