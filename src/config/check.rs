//! Checks several settings together. Checks of a single setting are part of its declaration.

use std::fmt::Display;
use std::net::SocketAddr;

use super::duration::Duration;
use super::issuer::check_issuer;
use super::sections::{Keys, Passwords};
use super::settings::Config;

/// Derives the issuer from a listener on a loopback address. With any other listener, the issuer must be set.
pub(super) fn follow_listen(config: &mut Config, problems: &mut Vec<String>) {
    // The check of `listen` itself reports an address that cannot be read.
    let Ok(listen) = config.listen.parse::<SocketAddr>() else { return };
    if !listen.ip().is_loopback() {
        problems.push(format!("issuer: set it: others reach {listen} by a URL that only you know"));
        return;
    }
    let scheme = if config.tls.cert.is_some() { "https" } else { "http" };
    config.issuer = format!("{scheme}://{listen}");
    if let Err(problem) = check_issuer(&config.issuer) {
        problems.push(format!("issuer: {problem}"));
    }
}

pub(super) fn check(config: &Config, problems: &mut Vec<String>) {
    let mut checks = Checks { problems };
    checks.listeners(config);
    checks.keys(&config.keys);
    checks.lifetimes(config);
    checks.passwords(&config.passwords);
    let (cert, key) = (config.tls.cert.is_some(), config.tls.key.is_some());
    checks.require(cert || !key, "tls.cert", "is missing: tls.key is set");
    checks.require(key || !cert, "tls.key", "is missing: tls.cert is set");
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

    fn at_most(&mut self, (name, value): (&str, Duration), (other, most): (&str, Duration)) {
        self.require(value <= most, name, format_args!("{value} is longer than {other} ({most})"));
    }

    fn listeners(&mut self, config: &Config) {
        let (listen, ops) = (config.listen.parse::<SocketAddr>(), config.ops_listen.parse());
        // Port 0 means any free port, so two of these never collide.
        let is_same = listen.is_ok_and(|listen| listen.port() != 0 && Ok(listen) == ops);
        self.require(!is_same, "ops_listen", "is the same as listen; health and metrics need a listener of their own");
    }

    /// A key takes over only after it was published for `jwks_max_age` and 60 seconds, so rotation must take longer.
    fn keys(&mut self, keys: &Keys) {
        let ready_after = keys.jwks_max_age.get().saturating_add(std::time::Duration::from_mins(1));
        let problem = format_args!("{} is not longer than keys.jwks_max_age and 60 seconds", keys.rotate_every);
        self.require(keys.rotate_every.get() > ready_after, "keys.rotate_every", problem);
    }

    fn lifetimes(&mut self, config: &Config) {
        let refresh = ("tokens.refresh_lifetime", config.tokens.refresh_lifetime);
        let limit = ("tokens.refresh_lifetime_limit", config.tokens.refresh_lifetime_limit);
        let session = ("sessions.absolute_lifetime", config.sessions.absolute_lifetime);
        self.at_most(refresh, session);
        self.at_most(limit, session);
        if let Some(window) = config.refresh.lost_response_window {
            self.at_most(("refresh.lost_response_window", window), refresh);
        }
        let browser_session = ("browser_sessions.absolute_lifetime", config.browser_sessions.absolute_lifetime);
        self.at_most(("browser_sessions.idle_lifetime", config.browser_sessions.idle_lifetime), browser_session);
    }

    /// Requires OWASP's minimum of memory: more passes need less, down to 7 MiB.
    fn passwords(&mut self, passwords: &Passwords) {
        let Passwords { memory_kib, iterations, .. } = *passwords;
        let least_for = |passes| [7, 9, 12, 19, 46].map(|mib| mib * 1024)[5 - usize::min(passes, 5)];
        let passes = usize::try_from(iterations).unwrap_or(usize::MAX).max(1);
        let (least, most) = (least_for(passes), Passwords::MOST_MEMORY_KIB);
        let problem =
            format_args!("{memory_kib} is not between {least} and {most} with {iterations} passwords.iterations");
        self.require((least..=most).contains(&memory_kib), "passwords.memory_kib", problem);
    }
}
