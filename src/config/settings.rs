//! Every setting by name, with a sentence about it. What the environment is called, and the documentation, follow
//! from this table; a test keeps it complete.

use std::fmt::Write as _;

use serde_json::Value;

use super::Config;

/// One setting.
pub(super) struct Setting {
    /// `section.key`, or the key alone where it stands in no section.
    pub name: &'static str,
    /// The short name in the environment, where it has one.
    pub short: Option<&'static str>,
    /// Whether its value must never be shown.
    pub is_secret: bool,
    /// What it does, in a sentence or two.
    pub says: &'static str,
}

const fn plain(name: &'static str, says: &'static str) -> Setting {
    Setting { name, short: None, is_secret: false, says }
}

const fn short(name: &'static str, short: &'static str, says: &'static str) -> Setting {
    Setting { name, short: Some(short), is_secret: false, says }
}

const fn secret(name: &'static str, short: &'static str, says: &'static str) -> Setting {
    Setting { name, short: Some(short), is_secret: true, says }
}

/// Every setting, in the order of the documentation.
pub(super) const SETTINGS: &[Setting] = &[
    short(
        "issuer",
        "TOKENHOUSE_ISSUER",
        "The URL of this service as everybody else sees it: `iss` in every token, and the beginning of every address in the metadata. An https URL (http only on this machine), written as it is to appear, without a slash at the end. Unless set, it follows `listen`, where that is a loopback address. Changing it makes every token invalid.",
    ),
    short("listen", "TOKENHOUSE_LISTEN", "Address and port of the service."),
    short(
        "ops_listen",
        "TOKENHOUSE_OPS_LISTEN",
        "Address and port of health checks and metrics; not meant for the public.",
    ),
    plain(
        "trusted_proxies",
        "Addresses or networks (`10.0.0.0/8`) of the reverse proxies in front, whose word about a caller's address is believed. A list.",
    ),
    plain("workers", "Threads that answer requests; 0 stands for one a processor core."),
    secret(
        "database.url",
        "DATABASE_URL",
        "The database: `sqlite://` and a path, or `postgres://` and where the server is.",
    ),
    plain("database.max_connections", "The most connections to the database."),
    plain("database.acquire_timeout", "How long a request waits for a free connection before it is answered 503."),
    plain("database.statement_timeout", "How long one statement may take."),
    plain(
        "database.migrate_at_start",
        "Whether `serve` brings the schema up to date by itself; otherwise run `tokenhouse migrate`.",
    ),
    secret(
        "redis.url",
        "REDIS_URL",
        "Where refresh token state lives: `redis://` or `rediss://` (TLS). Without it, the state lives in the database.",
    ),
    plain("redis.key_prefix", "What the name of every Redis key begins with, so that one Redis can serve several."),
    plain("redis.connect_timeout", "How long a new connection to Redis may take."),
    plain("redis.command_timeout", "How long Redis may take to answer before the request is answered 503."),
    plain("keys.folder", "The folder from which PEM keys are imported at the start."),
    secret(
        "keys.master_key",
        "TOKENHOUSE_MASTER_KEY",
        "The key under which signing keys are sealed, as `tokenhouse keys master` makes it. Takes precedence over the file.",
    ),
    short("keys.master_key_file", "TOKENHOUSE_MASTER_KEY_FILE", "The file that holds the master key (mode 0600)."),
    secret(
        "keys.master_key_previous",
        "TOKENHOUSE_MASTER_KEY_PREVIOUS",
        "The previous master key, for as long as something is still sealed or signed under it.",
    ),
    plain(
        "keys.id_token_algorithm",
        "Signs ID tokens: `RS256`, `PS256`, `ES256`, `ES384` or `EdDSA`. Every OpenID Connect client understands `RS256`.",
    ),
    plain("keys.access_token_algorithm", "Signs access tokens where the client does not say otherwise."),
    plain("keys.additional_algorithms", "Algorithms that single clients may choose besides these two. A list."),
    plain("keys.rotate_every", "How long a signing key signs before the next takes over."),
    plain("keys.jwks_max_age", "How long others may keep the published keys (`Cache-Control: max-age`)."),
    plain("tokens.access_lifetime", "How long an access token is valid; at most 24 hours."),
    plain("tokens.refresh_lifetime", "How long a refresh token is valid; each rotation begins it anew."),
    plain(
        "tokens.refresh_lifetime_limit",
        "The longest that a client's own refresh lifetime may be; the ends of sessions are remembered this long in the ephemeral store and in memory.",
    ),
    plain(
        "tokens.id_token_lifetime",
        "How long an ID token is valid: long enough to be checked once by the application that got it.",
    ),
    plain("sessions.absolute_lifetime", "How long a session can last, however often it is refreshed."),
    plain("sessions.last_used_every", "How often the time of a session's last use is written down."),
    plain("sessions.keep", "How long a session that is over stays in lists."),
    plain(
        "refresh.retry_window",
        "How long a refresh token that was just rotated gets the same successor again: a double click, two tabs, a quick retry.",
    ),
    plain(
        "refresh.lost_response_window",
        "How long a token whose successor was never used gets a new one, because the answer may have been lost. Unless set, as long as the token itself is valid; 0 together with `retry_window` 0 is strict single use.",
    ),
    plain("browser sessions.idle_lifetime", "A browser that was not used for so long has to sign in again."),
    plain(
        "browser_sessions.absolute_lifetime",
        "A browser has to sign in again after so long, however often it was used. Applications' sessions end with the browser session under which they began, unless they were granted `offline_access`.",
    ),
    plain(
        "oauth.pkce",
        "Who must prove with PKCE that an authorization code is theirs: `all` clients, or only the `public` ones, for the sake of older applications. Single clients can be exempted by their own setting.",
    ),
    plain("oauth.code_lifetime", "How long an authorization code is good; at most 1 minute."),
    plain("simplejwt.enabled", "Whether the SimpleJWT-compatible API (`/api/token/`) is open."),
    plain("simplejwt.audience", "`aud` of the access tokens made there; the issuer unless set."),
    plain("simplejwt.scope", "`scope` of the access tokens made there: words separated by single spaces."),
    plain(
        "clients.secret_overlap",
        "How long the previous secret of a client stays valid after `client rotate-secret`.",
    ),
    plain("passwords.memory_kib", "argon2id: memory for one hash, in KiB."),
    plain("passwords.iterations", "argon2id: passes over that memory."),
    plain("passwords.parallelism", "argon2id: lanes."),
    plain(
        "passwords.threads",
        "Threads that hash; each holds the memory of one hash. 0 stands for one a processor core, less one, at most 4.",
    ),
    plain("passwords.queue", "How many sign-ins may wait for such a thread; beyond, they are answered 503."),
    plain("passwords.minimum_length", "The fewest characters of a new password."),
    plain(
        "limits.by_account",
        "Attempts to sign in to one account: a number in a time (`10/1m`), or `off`. One that succeeds starts the count over.",
    ),
    plain(
        "limits.by_address",
        "Attempts to sign in from one address, whether or not they succeed: a number in a time, or `off`.",
    ),
    plain(
        "limits.authorizations_by_address",
        "Requests of applications from one address that wait for somebody to sign in or to agree: a number in a time, or `off`.",
    ),
    plain("audit.keep", "How long audit events are kept."),
    plain(
        "outbound.allow",
        "Networks (`10.0.0.0/8`), addresses and hosts that the service may call although they are not public: where it reports sign-outs to applications inside your own network. A loopback address that is named may be called without TLS. A list.",
    ),
    plain(
        "outbound.extra_ca_file",
        "PEM file with certificates that are trusted for such calls beside those of the system: your own authority.",
    ),
    plain("branding.name", "Whose pages these are, as people read it at the head of each."),
    plain(
        "branding.logo",
        "A picture (`.svg`, `.png`, `.jpg` or `.webp`, at most 256 KiB) that stands before the name.",
    ),
    plain(
        "branding.accent",
        "The colour of buttons and links, as in `#1d5f8a`. Any will do: text on it is white or black, whichever can be read, and links are made darker or lighter until they can.",
    ),
    plain(
        "branding.css",
        "A style sheet of your own (at most 256 KiB) that follows ours; `docs/branding.md` names what it can count on.",
    ),
    plain("branding.policy_uri", "The https address of your privacy policy, linked at the foot of each page."),
    plain("branding.terms_uri", "The https address of your terms, linked at the foot of each page."),
    plain("tls.cert", "PEM file with the certificate chain; without it, a proxy in front does TLS."),
    plain("tls.key", "PEM file with the certificate's private key."),
    plain(
        "log.level",
        "What is logged: `error`, `warn`, `info`, `debug`, `trace`, or a filter such as `info,tokenhouse=debug`.",
    ),
    plain("log.format", "`text` for people, or `json` with one object a line."),
    plain(
        "shutdown.announce",
        "How long the service answers on while its health check already says that it will stop.",
    ),
    plain("shutdown.drain", "How long requests that are under way may take to end."),
];

/// The setting of that name.
pub(super) fn named(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

/// Whether there is a section of that name.
pub(super) fn is_section(name: &str) -> bool {
    SETTINGS.iter().any(|setting| setting.section() == Some(name))
}

/// What a value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text, a length of time, a path, one of several words.
    Text,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Switch,
    /// Several texts.
    List,
}

impl Setting {
    /// The section it stands in.
    pub(super) fn section(&self) -> Option<&'static str> {
        self.name.split_once('.').map(|(section, _)| section)
    }

    /// Its name within the section.
    pub(super) fn key(&self) -> &'static str {
        self.name.split_once('.').map_or(self.name, |(_, key)| key)
    }

    /// Its long name in the environment.
    pub(super) fn long(&self) -> String {
        format!("TOKENHOUSE__{}", self.name.replace('.', "__").to_uppercase())
    }

    /// The variable that names a file to read it from, for a secret that has no setting for that already.
    pub(super) fn file_variable(&self) -> Option<String> {
        let name = self.short.filter(|_| self.is_secret).map(|short| format!("{short}_FILE"))?;
        SETTINGS.iter().all(|setting| setting.short != Some(&name)).then_some(name)
    }

    /// What its value must look like, judged by its default.
    pub(super) fn kind(&self) -> Kind {
        match self.default_value() {
            Value::Number(_) => Kind::Number,
            Value::Bool(_) => Kind::Switch,
            Value::Array(_) => Kind::List,
            Value::Null | Value::String(_) | Value::Object(_) => Kind::Text,
        }
    }

    /// Its default as people write it; nothing where it has none.
    pub(super) fn default_text(&self) -> Option<String> {
        match self.default_value() {
            Value::Null => None,
            Value::String(text) => Some(if text.is_empty() { "\"\"".to_owned() } else { text }),
            other => Some(other.to_string()),
        }
    }

    fn default_value(&self) -> Value {
        let config = Config::default();
        if self.name == "database.url" {
            // The one secret with a default; secrets are not serialised.
            return config.database.url.expose().into();
        }
        let pointer = self.name.split('.').fold(String::new(), |mut pointer, part| {
            let _ = write!(pointer, "/{part}");
            pointer
        });
        let all = serde_json::to_value(config).unwrap_or_default();
        all.pointer(&pointer).cloned().unwrap_or_default()
    }
}

/// The known setting that `name` most likely stands for.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    let by_key = SETTINGS.iter().find(|setting| setting.key() == name);
    let by_distance = || SETTINGS.iter().min_by_key(|setting| distance(setting.name, name));
    let found = by_key.or_else(by_distance)?;
    (by_key.is_some() || distance(found.name, name) <= name.len() / 3).then_some(found.name)
}

/// How many letters must be added, removed or replaced to make `one` into `other` (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, letter) in one.chars().enumerate() {
        let mut diagonal = line;
        row[0] = line + 1;
        for (column, candidate) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *candidate);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_table_names_exactly_the_settings_that_there_are() {
        let mut real: BTreeSet<String> =
            SETTINGS.iter().filter(|setting| setting.is_secret).map(|setting| setting.name.to_owned()).collect();
        let Value::Object(all) = serde_json::to_value(Config::default()).unwrap() else { panic!("a struct") };
        for (name, value) in all {
            match value {
                Value::Object(section) => real.extend(section.keys().map(|key| format!("{name}.{key}"))),
                _ => drop(real.insert(name)),
            }
        }
        let table: BTreeSet<String> = SETTINGS.iter().map(|setting| setting.name.to_owned()).collect();
        assert_eq!(table, real);
        assert_eq!(table.len(), SETTINGS.len(), "a setting stands in the table twice");
    }

    #[test]
    fn every_name_of_the_table_can_be_set() {
        for setting in SETTINGS.iter().filter(|setting| setting.is_secret) {
            let section = setting.section().unwrap();
            let tree = serde_json::json!({ section: { setting.key(): "x" } });
            assert!(serde_json::from_value::<Config>(tree).is_ok(), "{}", setting.name);
        }
    }

    #[test]
    fn a_slip_of_the_pen_is_recognised() {
        assert_eq!(nearest("tokens.acces_lifetime"), Some("tokens.access_lifetime"));
        assert_eq!(nearest("access_lifetime"), Some("tokens.access_lifetime"));
        assert_eq!(nearest("something.else"), None);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn only_a_secret_without_a_setting_for_its_file_has_a_file_variable() {
        let of = |name: &str| named(name).unwrap().file_variable();
        assert_eq!(of("database.url").as_deref(), Some("DATABASE_URL_FILE"));
        assert_eq!(of("keys.master_key_previous").as_deref(), Some("TOKENHOUSE_MASTER_KEY_PREVIOUS_FILE"));
        assert_eq!(of("keys.master_key"), None);
        assert_eq!(of("issuer"), None);
    }
}
