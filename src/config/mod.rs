//! One file in, one checked struct out. The only reader of the environment.
//!
//! Every setting stands here with its default; `settings.rs` describes each in a sentence, and tests keep the two
//! and `docs/configuration.md` together.

mod check;
mod colour;
mod defaults;
mod environment;
mod file;
mod load;
mod network;
mod rate;
mod reachable;
mod reference;
mod settings;
mod span;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use colour::Colour;
pub use load::{ConfigError, load};
pub use network::Network;
pub use rate::Rate;
pub use reachable::Reachable;
pub use reference::reference;
pub use span::Span;

use crate::model::{Pkce, Secret, SigningAlgorithm};

/// Everything that can be set.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "each setting is described in settings.rs, from which the documentation is made")]
pub struct Config {
    pub issuer: String,
    pub listen: String,
    pub ops_listen: String,
    pub trusted_proxies: Vec<Network>,
    pub workers: usize,
    pub database: Database,
    pub redis: Redis,
    pub keys: Keys,
    pub tokens: Tokens,
    pub sessions: Sessions,
    pub refresh: Refresh,
    pub browser_sessions: BrowserSessions,
    pub oauth: OAuth,
    pub simplejwt: SimpleJwt,
    pub clients: Clients,
    pub passwords: Passwords,
    pub limits: Limits,
    pub audit: Audit,
    pub outbound: Outbound,
    pub branding: Branding,
    pub tls: Tls,
    pub log: Log,
    pub shutdown: Shutdown,
}

/// `[database]`: the database.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "see settings.rs")]
pub struct Database {
    #[serde(skip_serializing)]
    pub url: Secret,
    pub max_connections: u32,
    pub acquire_timeout: Span,
    pub statement_timeout: Span,
    pub migrate_at_start: bool,
}

/// `[redis]`: the ephemeral store; embedded where no URL is set.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "see settings.rs")]
pub struct Redis {
    #[serde(skip_serializing)]
    pub url: Option<Secret>,
    pub key_prefix: String,
    pub connect_timeout: Span,
    pub command_timeout: Span,
}

/// `[keys]`: the master key and the signing keys.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "see settings.rs")]
pub struct Keys {
    pub folder: PathBuf,
    #[serde(skip_serializing)]
    pub master_key: Option<Secret>,
    pub master_key_file: PathBuf,
    #[serde(skip_serializing)]
    pub master_key_previous: Option<Secret>,
    pub id_token_algorithm: SigningAlgorithm,
    pub access_token_algorithm: SigningAlgorithm,
    pub additional_algorithms: Vec<SigningAlgorithm>,
    pub rotate_every: Span,
    pub jwks_max_age: Span,
}

/// `[tokens]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "see settings.rs")]
pub struct Tokens {
    pub access_lifetime: Span,
    pub refresh_lifetime: Span,
    pub refresh_lifetime_limit: Span,
    pub id_token_lifetime: Span,
}

/// `[sessions]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "see settings.rs")]
pub struct Sessions {
    pub absolute_lifetime: Span,
    pub last_used_every: Span,
    pub keep: Span,
}

/// `[refresh]`: how refresh tokens rotate, where a client does not say otherwise.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "see settings.rs")]
pub struct Refresh {
    pub retry_window: Span,
    pub lost_response_window: Option<Span>,
}

/// `[browser_sessions]`: browsers in which somebody is signed in.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "see settings.rs")]
pub struct BrowserSessions {
    pub idle_lifetime: Span,
    pub absolute_lifetime: Span,
}

/// `[oauth]`: authorization requests.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "see settings.rs")]
pub struct OAuth {
    pub pkce: PkceFor,
    pub code_lifetime: Span,
}

/// Who must use PKCE, where the client does not say otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PkceFor {
    /// Every client.
    All,
    /// Public clients.
    Public,
}

impl PkceFor {
    /// The rule for a confidential client.
    #[must_use]
    pub const fn rule(self) -> Pkce {
        match self {
            Self::All => Pkce::Required,
            Self::Public => Pkce::Optional,
        }
    }
}

/// `[simplejwt]`: the SimpleJWT-compatible API.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "see settings.rs")]
pub struct SimpleJwt {
    pub enabled: bool,
    pub audience: Option<String>,
    pub scope: String,
}

/// `[clients]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "see settings.rs")]
pub struct Clients {
    pub secret_overlap: Span,
}

/// `[passwords]`: argon2id and its queue.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "see settings.rs")]
pub struct Passwords {
    pub memory_kib: u32,
    pub iterations: u32,
    pub parallelism: u32,
    pub threads: usize,
    pub queue: usize,
    pub minimum_length: usize,
}

/// `[limits]`: attempts to sign in.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "see settings.rs")]
pub struct Limits {
    pub by_account: Rate,
    pub by_address: Rate,
    pub authorizations_by_address: Rate,
}

/// `[audit]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "see reference.rs")]
pub struct Audit {
    pub keep: Span,
}

/// `[outbound]`: requests that the service makes.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "see settings.rs")]
pub struct Outbound {
    pub allow: Vec<Reachable>,
    pub extra_ca_file: Option<PathBuf>,
}

/// `[branding]`: what the pages look like.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "see settings.rs")]
pub struct Branding {
    pub name: String,
    pub logo: Option<PathBuf>,
    pub accent: Colour,
    pub css: Option<PathBuf>,
    pub policy_uri: Option<String>,
    pub terms_uri: Option<String>,
}

/// `[tls]`: both or neither.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "see settings.rs")]
pub struct Tls {
    pub cert: Option<PathBuf>,
    pub key: Option<PathBuf>,
}

/// `[log]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "see settings.rs")]
pub struct Log {
    pub level: String,
    pub format: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// `[shutdown]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "see settings.rs")]
pub struct Shutdown {
    pub announce: Span,
    pub drain: Span,
}

impl Passwords {
    /// The most memory that one hash may ask for, whether by the settings or because it was imported so.
    pub const MOST_MEMORY_KIB: u32 = 256 * 1024;
    /// The most passes, likewise.
    pub const MOST_ITERATIONS: u32 = 10;
    /// The most lanes, likewise.
    pub const MOST_PARALLELISM: u32 = 16;
}

impl Config {
    /// The `aud` of the access tokens of the SimpleJWT-compatible API: the issuer unless set.
    #[must_use]
    pub fn simplejwt_audience(&self) -> &str {
        self.simplejwt.audience.as_deref().unwrap_or(&self.issuer)
    }

    /// `path` as browsers ask for it: after the path of the issuer, where it has one.
    #[must_use]
    pub fn path_to(&self, path: &str) -> String {
        let host = self.issuer.split_once("://").map_or("", |(_, rest)| rest);
        let base = host.split_once('/').map_or("", |(_, base)| base);
        if base.is_empty() { path.to_owned() } else { format!("/{base}{path}") }
    }

    /// Whether `address` is a proxy in front, whose word about a caller's address is believed.
    #[must_use]
    pub fn trusted(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(address))
    }

    /// The longest that a refresh token that rotates can live; the ends of sessions are remembered this long in the
    /// ephemeral store and in memory (and for ever in the database).
    #[must_use]
    pub fn longest_refresh_lifetime(&self) -> std::time::Duration {
        self.tokens.refresh_lifetime.get().max(self.tokens.refresh_lifetime_limit.get())
    }
}
