//! One file in, one checked struct out. The only reader of the environment.
//!
//! Every setting stands here with its default; `settings.rs` describes each in a sentence, and tests keep the two
//! and `docs/configuration.md` together.

mod check;
mod colour;
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
    pub logins: Logins,
    pub oauth: OAuth,
    pub direct: Direct,
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

/// `[database]`: the ledger.
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

/// `[redis]`: the hot state; embedded where no URL is set.
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
    pub further_algorithms: Vec<SigningAlgorithm>,
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

/// `[logins]`: browsers in which somebody is signed in.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "see settings.rs")]
pub struct Logins {
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

/// `[direct]`: the direct token API.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "see settings.rs")]
pub struct Direct {
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
    pub sign_ons_by_address: Rate,
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
    /// The `aud` of the access tokens of the direct token API: the issuer unless set.
    #[must_use]
    pub fn direct_audience(&self) -> &str {
        self.direct.audience.as_deref().unwrap_or(&self.issuer)
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

    /// The longest that a refresh token that rotates can live; the ends of sessions are remembered this long in the hot state and
    /// in memory (and for ever in the ledger).
    #[must_use]
    pub fn longest_refresh_lifetime(&self) -> std::time::Duration {
        self.tokens.refresh_lifetime.get().max(self.tokens.refresh_lifetime_limit.get())
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            issuer: "http://127.0.0.1:8080".to_owned(),
            listen: "127.0.0.1:8080".to_owned(),
            ops_listen: "127.0.0.1:9090".to_owned(),
            trusted_proxies: Vec::new(),
            workers: 0,
            database: Database::default(),
            redis: Redis::default(),
            keys: Keys::default(),
            tokens: Tokens::default(),
            sessions: Sessions::default(),
            refresh: Refresh::default(),
            logins: Logins::default(),
            oauth: OAuth::default(),
            direct: Direct::default(),
            clients: Clients::default(),
            passwords: Passwords::default(),
            limits: Limits::default(),
            audit: Audit::default(),
            outbound: Outbound::default(),
            branding: Branding::default(),
            tls: Tls::default(),
            log: Log::default(),
            shutdown: Shutdown::default(),
        }
    }
}

impl Default for Database {
    fn default() -> Self {
        Self {
            url: Secret::new("sqlite://data/tokenhouse.db"),
            max_connections: 10,
            acquire_timeout: Span::millis(500),
            statement_timeout: Span::seconds(2),
            migrate_at_start: true,
        }
    }
}

impl Default for Redis {
    fn default() -> Self {
        Self {
            url: None,
            key_prefix: "th:".to_owned(),
            connect_timeout: Span::millis(250),
            command_timeout: Span::millis(100),
        }
    }
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            folder: "keys".into(),
            master_key: None,
            master_key_file: "keys/master.key".into(),
            master_key_previous: None,
            id_token_algorithm: SigningAlgorithm::Rs256,
            access_token_algorithm: SigningAlgorithm::Es256,
            further_algorithms: Vec::new(),
            rotate_every: Span::days(30),
            jwks_max_age: Span::minutes(5),
        }
    }
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            access_lifetime: Span::minutes(5),
            refresh_lifetime: Span::hours(24),
            refresh_lifetime_limit: Span::days(7),
            id_token_lifetime: Span::minutes(10),
        }
    }
}

impl Default for Sessions {
    fn default() -> Self {
        Self { absolute_lifetime: Span::days(30), last_used_every: Span::minutes(1), keep: Span::days(90) }
    }
}

impl Default for Refresh {
    fn default() -> Self {
        Self { retry_window: Span::seconds(30), lost_response_window: None }
    }
}

impl Default for Logins {
    fn default() -> Self {
        Self { idle_lifetime: Span::hours(24), absolute_lifetime: Span::days(30) }
    }
}

impl Default for OAuth {
    fn default() -> Self {
        Self { pkce: PkceFor::All, code_lifetime: Span::seconds(60) }
    }
}

impl Default for Direct {
    fn default() -> Self {
        Self { enabled: true, audience: None, scope: String::new() }
    }
}

impl Default for Clients {
    fn default() -> Self {
        Self { secret_overlap: Span::hours(24) }
    }
}

impl Default for Passwords {
    fn default() -> Self {
        Self { memory_kib: 19 * 1024, iterations: 2, parallelism: 1, threads: 0, queue: 64, minimum_length: 8 }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            by_account: Rate::of(10, Span::minutes(1)),
            by_address: Rate::of(60, Span::minutes(1)),
            sign_ons_by_address: Rate::of(600, Span::minutes(1)),
        }
    }
}

impl Default for Audit {
    fn default() -> Self {
        Self { keep: Span::days(365) }
    }
}

impl Default for Branding {
    fn default() -> Self {
        Self {
            name: "Tokenhouse".to_owned(),
            logo: None,
            accent: Colour::of(0x1d, 0x5f, 0x8a),
            css: None,
            policy_uri: None,
            terms_uri: None,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::Text }
    }
}

impl Default for Shutdown {
    fn default() -> Self {
        Self { announce: Span::seconds(1), drain: Span::seconds(20) }
    }
}
