//! What the settings mean: values of the right type that cannot be right all the same.

use std::fmt::Display;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use url::{Host, Url};

use super::{Branding, Config, Database, Keys, Passwords, Rate, Redis, Span};
use crate::protocol::Scope;

/// Makes the issuer follow the listener, for a service that nobody outside this machine can reach anyway.
pub(super) fn follow_listen(config: &mut Config, problems: &mut Vec<String>) {
    // An address that cannot be read is a problem of its own.
    let Ok(listen) = config.listen.parse::<SocketAddr>() else { return };
    if listen.ip().is_loopback() {
        let scheme = if config.tls.cert.is_some() { "https" } else { "http" };
        config.issuer = format!("{scheme}://{listen}");
    } else {
        problems.push(format!("issuer: set it: others reach {listen} by a URL that only you know"));
    }
}

/// Adds every problem of `config`.
pub(super) fn check(config: &Config, problems: &mut Vec<String>) {
    let mut checks = Checks { problems };
    checks.issuer(&config.issuer);
    checks.listeners(config);
    checks.most("workers", config.workers, 1024);
    checks.database(&config.database);
    checks.redis(&config.redis);
    checks.keys(&config.keys);
    checks.lifetimes(config);
    checks.simplejwt(config);
    checks.passwords(&config.passwords);
    checks.limit("limits.by_account", config.limits.by_account);
    checks.limit("limits.by_address", config.limits.by_address);
    checks.limit("limits.authorizations_by_address", config.limits.authorizations_by_address);
    checks.branding(&config.branding);
    checks.files(config);
    checks.log_level(&config.log.level);
    checks.between("shutdown.announce", config.shutdown.announce, Span::seconds(0), Span::minutes(10));
    checks.between("shutdown.drain", config.shutdown.drain, Span::seconds(0), Span::minutes(10));
}

struct Checks<'problems> {
    problems: &'problems mut Vec<String>,
}

impl Checks<'_> {
    fn require(&mut self, is_met: bool, name: &str, problem: impl Display) {
        if !is_met {
            self.problems.push(format!("{name}: {problem}"));
        }
    }

    fn between(&mut self, name: &str, span: Span, least: Span, most: Span) {
        self.require((least..=most).contains(&span), name, format_args!("{span} is not between {least} and {most}"));
    }

    fn most(&mut self, name: &str, number: usize, most: usize) {
        self.require(number <= most, name, format_args!("{number} is more than {most}"));
    }

    fn limit(&mut self, name: &str, rate: Rate) {
        match rate {
            Rate::Off => {}
            Rate::Limit { window, .. } => self.between(name, window, Span::millis(1), Span::days(1)),
        }
    }

    fn issuer(&mut self, issuer: &str) {
        if let Err(problem) = check_issuer(issuer) {
            self.require(false, "issuer", problem);
        }
    }

    fn listeners(&mut self, config: &Config) {
        let mut port = |name, text: &str| {
            let address = text.parse::<SocketAddr>().ok();
            let example = "is not an address and a port, as in `127.0.0.1:8080` or `[::1]:8080`";
            self.require(address.is_some(), name, format_args!("`{text}` {example}"));
            address
        };
        let (listen, ops) = (port("listen", &config.listen), port("ops_listen", &config.ops_listen));
        // Port 0 stands for any free one, so two of these never meet.
        let is_same = listen.is_some_and(|address| address.port() != 0 && Some(address) == ops);
        self.require(!is_same, "ops_listen", "is the same as listen; health and metrics need a listener of their own");
    }

    fn database(&mut self, database: &Database) {
        // The URL is not repeated in the problem: it holds a password.
        let url = database.url.expose();
        let is_postgres = Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "postgres" | "postgresql"));
        let is_known = is_postgres || url.strip_prefix("sqlite:").is_some_and(|path| !path.is_empty());
        self.require(
            is_known,
            "database.url",
            "must begin with postgres:// or sqlite://, as in `sqlite://data/dev.db`",
        );
        self.require((1..=1000).contains(&database.max_connections), "database.max_connections", "must be 1 to 1000");
        self.between("database.acquire_timeout", database.acquire_timeout, Span::millis(1), Span::minutes(1));
        self.between("database.statement_timeout", database.statement_timeout, Span::millis(1), Span::minutes(10));
    }

    fn redis(&mut self, redis: &Redis) {
        const SCHEMES: [&str; 7] = ["redis", "rediss", "valkey", "valkeys", "redis+unix", "valkey+unix", "unix"];
        if let Some(url) = &redis.url {
            let is_known = Url::parse(url.expose()).is_ok_and(|url| SCHEMES.contains(&url.scheme()));
            self.require(is_known, "redis.url", "must be a URL that begins with redis:// or rediss://");
        }
        // Braces would put a key into another slot of a Redis Cluster than its neighbours.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b":._-/".contains(&byte);
        let is_sound = redis.key_prefix.len() <= 64 && redis.key_prefix.bytes().all(is_plain);
        self.require(is_sound, "redis.key_prefix", "has at most 64 letters, digits and `:._-/`");
        self.between("redis.connect_timeout", redis.connect_timeout, Span::millis(1), Span::minutes(1));
        self.between("redis.command_timeout", redis.command_timeout, Span::millis(1), Span::minutes(1));
    }

    fn keys(&mut self, keys: &Keys) {
        let additional = &keys.additional_algorithms;
        for (index, algorithm) in additional.iter().enumerate() {
            let is_first = !additional[..index].contains(algorithm);
            self.require(is_first, "keys.additional_algorithms", format_args!("names {algorithm} twice"));
        }
        self.between("keys.jwks_max_age", keys.jwks_max_age, Span::seconds(0), Span::days(1));
        // A key takes over once it has been published for that long; sooner, nothing would be ripe.
        let ripe_after = keys.jwks_max_age.get().saturating_add(Duration::from_mins(1));
        let problem = format_args!("{} is not longer than keys.jwks_max_age and 60 seconds", keys.rotate_every);
        self.require(keys.rotate_every.get() > ripe_after, "keys.rotate_every", problem);
    }

    fn lifetimes(&mut self, config: &Config) {
        let (second, absolute) = (Span::seconds(1), config.sessions.absolute_lifetime);
        self.between("tokens.access_lifetime", config.tokens.access_lifetime, second, Span::hours(24));
        self.between("sessions.absolute_lifetime", absolute, second, Span::days(3650));
        let refresh = config.tokens.refresh_lifetime;
        self.require(refresh >= second, "tokens.refresh_lifetime", "must be at least 1s");
        let problem = format_args!("{refresh} is longer than sessions.absolute_lifetime ({absolute})");
        self.require(refresh <= absolute, "tokens.refresh_lifetime", problem);
        let limit = config.tokens.refresh_lifetime_limit;
        self.between("tokens.refresh_lifetime_limit", limit, second, absolute);
        self.between("sessions.keep", config.sessions.keep, Span::days(1), Span::days(36500));
        self.between("audit.keep", config.audit.keep, Span::days(1), Span::days(36500));
        self.between("sessions.last_used_every", config.sessions.last_used_every, Span::seconds(0), Span::days(1));
        self.between("refresh.retry_window", config.refresh.retry_window, Span::seconds(0), Span::minutes(10));
        if let Some(window) = config.refresh.lost_response_window {
            let problem = format_args!("{window} is longer than tokens.refresh_lifetime ({refresh})");
            self.require(window <= refresh, "refresh.lost_response_window", problem);
        }
        self.between("tokens.id_token_lifetime", config.tokens.id_token_lifetime, second, Span::hours(24));
        let (idle, longest) = (config.browser_sessions.idle_lifetime, config.browser_sessions.absolute_lifetime);
        self.between("browser_sessions.absolute_lifetime", longest, second, Span::days(3650));
        self.between("browser_sessions.idle_lifetime", idle, second, longest);
        // Whoever finds a code in a log or a history comes too late (RFC 9700 section 2.1.1).
        self.between("oauth.code_lifetime", config.oauth.code_lifetime, second, Span::minutes(1));
        self.between("clients.secret_overlap", config.clients.secret_overlap, Span::seconds(0), Span::days(365));
    }

    fn simplejwt(&mut self, config: &Config) {
        if let Some(audience) = &config.simplejwt.audience {
            let is_sound = !audience.is_empty() && !audience.contains(|letter: char| letter.is_whitespace());
            self.require(is_sound, "simplejwt.audience", "must be one word, such as the URL of an API");
        }
        if let Err(error) = Scope::parse(&config.simplejwt.scope) {
            self.require(false, "simplejwt.scope", error);
        }
    }

    fn passwords(&mut self, passwords: &Passwords) {
        let Passwords { memory_kib, iterations, parallelism, .. } = *passwords;
        // OWASP's least: memory can stand in for passes, down to 7 MiB.
        let least_for = |passes| [7, 9, 12, 19, 46].map(|mib| mib * 1024)[5 - usize::min(passes, 5)];
        let passes = usize::try_from(iterations).unwrap_or(usize::MAX).max(1);
        let (least, most) = (least_for(passes), Passwords::MOST_MEMORY_KIB);
        let problem =
            format_args!("{memory_kib} is not between {least} and {most} with {iterations} passwords.iterations");
        self.require((least..=most).contains(&memory_kib), "passwords.memory_kib", problem);
        let (most_passes, most_lanes) = (Passwords::MOST_ITERATIONS, Passwords::MOST_PARALLELISM);
        let problem = format_args!("must be 1 to {most_passes}");
        self.require((1..=most_passes).contains(&iterations), "passwords.iterations", problem);
        let problem = format_args!("must be 1 to {most_lanes}");
        self.require((1..=most_lanes).contains(&parallelism), "passwords.parallelism", problem);
        self.most("passwords.threads", passwords.threads, 64);
        self.require((1..=10_000).contains(&passwords.queue), "passwords.queue", "must be 1 to 10000");
        let is_bounded = (6..=64).contains(&passwords.minimum_length);
        self.require(is_bounded, "passwords.minimum_length", "must be 6 to 64");
    }

    fn branding(&mut self, branding: &Branding) {
        let name = branding.name.trim();
        let is_sound = (1..=60).contains(&name.chars().count()) && !name.chars().any(char::is_control);
        self.require(is_sound, "branding.name", "must be 1 to 60 characters on one line");
        let links = [("branding.policy_uri", &branding.policy_uri), ("branding.terms_uri", &branding.terms_uri)];
        for (setting, uri) in links {
            let is_https = |uri: &String| Url::parse(uri).is_ok_and(|url| url.scheme() == "https");
            self.require(uri.as_ref().is_none_or(is_https), setting, "must be an https URL");
        }
        for (setting, file) in [("branding.logo", &branding.logo), ("branding.css", &branding.css)] {
            let is_named = file.as_ref().is_none_or(|file| file.as_path() != Path::new(""));
            self.require(is_named, setting, "must not be empty");
        }
    }

    /// A word alone would be taken for the name of a part of the program, and everything else would fall silent.
    fn log_level(&mut self, filter: &str) {
        const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
        let is_level = |word: &str| LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word));
        let last = |part: &str| part.rsplit('=').next().is_some_and(|word| is_level(word.trim()));
        let problem = "must be off, error, warn, info, debug, trace, or a filter such as `info,tokenhouse=debug`";
        self.require(filter.split(',').all(last), "log.level", problem);
    }

    fn files(&mut self, config: &Config) {
        let needed = [("keys.folder", &config.keys.folder), ("keys.master_key_file", &config.keys.master_key_file)];
        for (name, path) in needed {
            self.require(path.as_path() != Path::new(""), name, "must not be empty");
        }
        let is_named = config.outbound.extra_ca_file.as_ref().is_none_or(|file| file.as_path() != Path::new(""));
        self.require(is_named, "outbound.extra_ca_file", "must not be empty");
        let (cert, key) = (config.tls.cert.is_some(), config.tls.key.is_some());
        self.require(cert || !key, "tls.cert", "is missing: tls.key is set");
        self.require(key || !cert, "tls.key", "is missing: tls.cert is set");
    }
}

/// An issuer is compared letter by letter by everybody who sees it (RFC 9207 section 2.4, OpenID Connect Core section
/// 3.1.3.7), so only what a URL library would write in just that way will do.
fn check_issuer(issuer: &str) -> Result<(), String> {
    let wrong = |problem: &str| Err(format!("`{}` {problem}", without_userinfo(issuer)));
    let Ok(url) = Url::parse(issuer) else {
        return wrong("is not an absolute URL, as in `https://id.example.com`");
    };
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback) {
        return wrong("must be an https URL; http is for this machine only (localhost, 127.0.0.1, [::1])");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("must not hold a user name or password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return wrong("must not have a query or a fragment");
    }
    if issuer.ends_with('/') {
        return wrong("must not end with a slash");
    }
    let written = url.as_str().trim_end_matches('/');
    if written != issuer {
        return wrong(&format!("would be read as `{written}`; write that"));
    }
    Ok(())
}

/// The text as it may be shown: what stands before an `@` could be a password.
fn without_userinfo(text: &str) -> &str {
    text.rsplit_once('@').map_or(text, |(_, rest)| rest)
}
