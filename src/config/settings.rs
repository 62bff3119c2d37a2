//! Everything that can be set: the settings without a section, and the sections.

use std::net::{IpAddr, SocketAddr};

use super::declare::settings;
use super::issuer::check_issuer;
use super::network::Network;
use super::sections::{
    Audit, Branding, BrowserSessions, Clients, Database, Keys, Limits, Log, OAuth, Outbound, Passwords, Redis, Refresh,
    Sessions, Shutdown, SimpleJwt, Tls, Tokens,
};

settings! {
    /// Everything that can be set.
    pub struct Config {
        /// The URL of this service as everybody else sees it: `iss` in every token, and the beginning of every address in
        /// the metadata. An https URL (http only on this machine), written as it is to appear, without a slash at the end.
        /// Unless set, it follows `listen`, where that is a loopback address. Changing it makes every token invalid.
        issuer: String = "http://127.0.0.1:8080".to_owned(), env "TOKENHOUSE_ISSUER", check check_issuer;
        /// Address and port of the service.
        listen: String = "127.0.0.1:8080".to_owned(), env "TOKENHOUSE_LISTEN", check address_and_port;
        /// Address and port of health checks and metrics; not meant for the public.
        ops_listen: String = "127.0.0.1:9090".to_owned(), env "TOKENHOUSE_OPS_LISTEN", check address_and_port;
        /// Addresses or networks (`10.0.0.0/8`) of the reverse proxies in front, whose word about a caller's address is
        /// believed. A list.
        trusted_proxies: Vec<Network> = Vec::new();
        /// Threads that answer requests; 0 stands for one a processor core.
        workers: usize = 0, in 0..=1024;
        database: Database = Database::default();
        redis: Redis = Redis::default();
        keys: Keys = Keys::default();
        tokens: Tokens = Tokens::default();
        sessions: Sessions = Sessions::default();
        refresh: Refresh = Refresh::default();
        browser_sessions: BrowserSessions = BrowserSessions::default();
        oauth: OAuth = OAuth::default();
        simplejwt: SimpleJwt = SimpleJwt::default();
        clients: Clients = Clients::default();
        passwords: Passwords = Passwords::default();
        limits: Limits = Limits::default();
        audit: Audit = Audit::default();
        outbound: Outbound = Outbound::default();
        branding: Branding = Branding::default();
        tls: Tls = Tls::default();
        log: Log = Log::default();
        shutdown: Shutdown = Shutdown::default();
    }
}

impl Config {
    /// The `aud` of the access tokens of the SimpleJWT-compatible API: the issuer unless set.
    #[must_use]
    pub fn simplejwt_audience(&self) -> &str {
        self.simplejwt.audience.as_deref().unwrap_or(&self.issuer)
    }

    /// Returns `path` as browsers request it: after the path of the issuer, where it has one.
    #[must_use]
    pub fn path_to(&self, path: &str) -> String {
        let host = self.issuer.split_once("://").map_or("", |(_, rest)| rest);
        let base = host.split_once('/').map_or("", |(_, base)| base);
        if base.is_empty() { path.to_owned() } else { format!("/{base}{path}") }
    }

    /// Whether `address` is a reverse proxy whose word about a caller's address is believed.
    #[must_use]
    pub fn trusted(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(address))
    }

    /// The longest lifetime of a rotating refresh token. The ephemeral store and the instances keep the end of a
    /// session this long; the database keeps it forever.
    #[must_use]
    pub fn longest_refresh_lifetime(&self) -> std::time::Duration {
        self.tokens.refresh_lifetime.get().max(self.tokens.refresh_lifetime_limit.get())
    }
}

fn address_and_port(text: &str) -> Result<(), String> {
    let example = "is not an address and a port, as in `127.0.0.1:8080` or `[::1]:8080`";
    text.parse::<SocketAddr>().map(drop).map_err(|_| format!("`{text}` {example}"))
}
