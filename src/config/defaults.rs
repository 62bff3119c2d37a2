//! What every setting is unless somebody sets it: the safe choice, that needs nothing else.

use super::{
    Audit, Branding, BrowserSessions, Clients, Colour, Config, Database, Keys, Limits, Log, LogFormat, OAuth, Outbound,
    Passwords, PkceFor, Rate, Redis, Refresh, Sessions, Shutdown, SimpleJwt, Span, Tls, Tokens,
};
use crate::model::{Secret, SigningAlgorithm};

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
            browser_sessions: BrowserSessions::default(),
            oauth: OAuth::default(),
            simplejwt: SimpleJwt::default(),
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
            url: Secret::new("sqlite://data/tokentokenhouse.db"),
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
            additional_algorithms: Vec::new(),
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

impl Default for BrowserSessions {
    fn default() -> Self {
        Self { idle_lifetime: Span::hours(24), absolute_lifetime: Span::days(30) }
    }
}

impl Default for OAuth {
    fn default() -> Self {
        Self { pkce: PkceFor::All, code_lifetime: Span::seconds(60) }
    }
}

impl Default for SimpleJwt {
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
            authorizations_by_address: Rate::of(600, Span::minutes(1)),
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
