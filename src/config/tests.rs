//! The configuration as operators meet it.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use super::load::assemble;
use super::*;
use crate::model::SigningAlgorithm;

fn read(text: &str, variables: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    let variables: Vec<(OsString, OsString)> =
        variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let secrets = |path: &Path| match path.to_str() {
        Some("/run/secrets/db") => Ok("postgres://th:hush@db/th\n".to_owned()),
        _ => Err(io::ErrorKind::NotFound.into()),
    };
    assemble(Some(text), variables, secrets).map_err(|error| error.problems)
}

fn problems(text: &str, variables: &[(&str, &str)]) -> Vec<String> {
    read(text, variables).expect_err("a problem")
}

fn problem(text: &str) -> String {
    let problems = problems(text, &[]);
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems[0].clone()
}

#[test]
fn nothing_needs_to_be_set() {
    let config = read("", &[("PATH", "/bin"), ("HOME", "/")]).unwrap();
    assert_eq!(config.issuer, "http://127.0.0.1:8080");
    assert_eq!(format!("{config:?}"), format!("{:?}", Config::default()));
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_the_defaults() {
    let file = "[tokens]\naccess_lifetime = \"1m\"\nrefresh_lifetime = \"2h\"";
    let config = read(file, &[("TOKENHOUSE__TOKENS__ACCESS_LIFETIME", "2m")]).unwrap();
    assert_eq!(config.tokens.access_lifetime, Duration::minutes(2));
    assert_eq!(config.tokens.refresh_lifetime, Duration::hours(2));
    assert_eq!(config.sessions.absolute_lifetime, Duration::days(30));
}

#[test]
fn every_type_can_come_from_the_environment() {
    let config = read(
        "",
        &[
            ("TOKENHOUSE__WORKERS", "3"),
            ("TOKENHOUSE__DATABASE__MIGRATE_AT_START", "false"),
            ("TOKENHOUSE__TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.1"),
            ("TOKENHOUSE__KEYS__ADDITIONAL_ALGORITHMS", "EdDSA,PS256"),
            ("TOKENHOUSE__LIMITS__BY_ACCOUNT", "off"),
            ("TOKENHOUSE__LOG__FORMAT", "json"),
            ("TOKENHOUSE__REFRESH__LOST_RESPONSE_WINDOW", "0"),
            ("TOKENHOUSE_MASTER_KEY_FILE", "/etc/th/master.key"),
        ],
    )
    .unwrap();
    assert_eq!(config.workers, 3);
    assert!(!config.database.migrate_at_start);
    assert!(config.trusted("10.1.2.3".parse().unwrap()) && config.trusted("192.0.2.1".parse().unwrap()));
    assert!(!config.trusted("192.0.2.2".parse().unwrap()));
    assert_eq!(config.keys.additional_algorithms, [SigningAlgorithm::EdDsa, SigningAlgorithm::Ps256]);
    assert_eq!(config.limits.by_account, Rate::Off);
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(config.refresh.lost_response_window, Some(Duration::seconds(0)));
    assert_eq!(config.keys.master_key_file, Path::new("/etc/th/master.key"));
}

#[test]
fn a_secret_can_come_from_a_variable_or_from_a_file_but_not_from_both() {
    let from_file = read("", &[("DATABASE_URL_FILE", "/run/secrets/db")]).unwrap();
    assert_eq!(from_file.database.url.expose(), "postgres://th:hush@db/th");
    let found = problems("", &[("REDIS_URL_FILE", "/nowhere")]);
    assert!(found[0].starts_with("redis.url (REDIS_URL_FILE): cannot read /nowhere"), "{found:?}");
    let found = problems("", &[("DATABASE_URL", "sqlite://x"), ("DATABASE_URL_FILE", "/run/secrets/db")]);
    assert_eq!(found, ["database.url: is set by both DATABASE_URL and DATABASE_URL_FILE"]);
}

#[test]
fn a_secret_has_a_file_variable_unless_that_is_a_setting_of_its_own() {
    let config = read(
        "",
        &[
            ("TOKENHOUSE_MASTER_KEY_PREVIOUS_FILE", "/run/secrets/db"),
            ("TOKENHOUSE_MASTER_KEY_FILE", "/run/secrets/db"),
            ("TOKENHOUSE__REDIS__URL", "redis://redis"),
        ],
    )
    .unwrap();
    assert_eq!(config.keys.master_key_previous.unwrap().expose(), "postgres://th:hush@db/th");
    assert!(config.keys.master_key.is_none());
    assert_eq!(config.keys.master_key_file, Path::new("/run/secrets/db"));
    let found = problems("", &[("TOKENHOUSE_ISSUER_FILE", "/run/secrets/db")]);
    assert!(found[0].starts_with("TOKENHOUSE_ISSUER_FILE: there is no such setting"), "{found:?}");
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let config = read("", &[("REDIS_URL", ""), ("TOKENHOUSE_ISSUER", ""), ("TOKENHOUSE_NONSENSE", "")]).unwrap();
    assert!(config.redis.url.is_none());
    assert_eq!(config.issuer, "http://127.0.0.1:8080");
}

#[test]
fn all_problems_are_reported_at_once_each_with_its_name() {
    let file = "
        colour = 'red'
        log = 'debug'
        [tokens]
        acces_lifetime = '5m'
        refresh_lifetime = 300
        [workers]
        count = 2
        [database]
        max_connections = '10'
        url = 7
        [simplejwt]
        enabled = 'yes'
        [limits]
        by_account = 'ten a minute'
        [sessions]
        absolute_lifetime = '1ms'
        [tls]
        key = 'key.pem'
    ";
    let found = problems(
        file,
        &[
            ("TOKENHOUSE__REDIS__COMMAND_TIMEOUT", "soon"),
            ("TOKENHOUSE__PASSWORDS__QUEUE", "many"),
            ("TOKENHOUSE__KEYS__ID_TOKEN_ALGORITHM", "HS256"),
            ("TOKENHOUSE_LISTEM", "127.0.0.1:80"),
            ("TOKENHOUSE__TOKENS__COLOUR", "red"),
        ],
    );
    for beginning in [
        "colour: there is no such setting",
        "log: is a section, write [log]",
        "tokens.acces_lifetime: there is no such setting; is tokens.access_lifetime meant?",
        "tokens.refresh_lifetime: must be text in quotation marks",
        "workers: must be a whole number",
        "database.max_connections: must be a whole number",
        "database.url: must be text in quotation marks",
        "simplejwt.enabled: must be true or false",
        "limits.by_account: `ten a minute` is not a limit",
        "sessions.absolute_lifetime: 1ms is not between 1s and 3650d",
        "tls.cert: is missing: tls.key is set",
        "redis.command_timeout (TOKENHOUSE__REDIS__COMMAND_TIMEOUT): `soon` is not a length of time",
        "passwords.queue (TOKENHOUSE__PASSWORDS__QUEUE): `many` is not a whole number",
        "keys.id_token_algorithm (TOKENHOUSE__KEYS__ID_TOKEN_ALGORITHM): unknown variant `HS256`",
        "TOKENHOUSE_LISTEM: there is no such setting; is TOKENHOUSE__LISTEN meant?",
        "TOKENHOUSE__TOKENS__COLOUR: there is no such setting",
    ] {
        assert!(found.iter().any(|problem| problem.starts_with(beginning)), "{beginning}: {found:#?}");
    }
}

#[test]
fn what_kubernetes_says_about_a_service_of_our_name_is_no_mistake() {
    let links = [
        ("TOKENHOUSE_SERVICE_HOST", "10.96.0.7"),
        ("TOKENHOUSE_SERVICE_PORT_HTTP", "8080"),
        ("TOKENHOUSE_PORT", "tcp://10.96.0.7:8080"),
        ("TOKENHOUSE_OPS_PORT_9090_TCP_ADDR", "10.96.0.7"),
        ("TOKENHOUSE_PORT_8080_TCP", "tcp://10.96.0.7:8080"),
    ];
    assert!(read("", &links).is_ok());
    assert_eq!(problems("", &[("TOKENHOUSE_PORT_TCP", "x")]).len(), 1);
}

#[test]
fn a_file_that_is_no_toml_is_described_without_quoting_it() {
    let found = problem("[database]\nurl = \"postgres://th:hush@db/th\nmax_connections = 3");
    assert!(found.contains("line 2"), "{found}");
    assert!(!found.contains("hush"), "{found}");
}

#[test]
fn settings_are_not_judged_together_when_the_file_cannot_be_read() {
    let variables = [("TOKENHOUSE_LISTEN", "0.0.0.0:80"), ("TOKENHOUSE__WORKERS", "x")];
    let found = problems("issuer = 'https://id.example.com", &variables);
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn no_problem_shows_a_secret() {
    let secrets = [("DATABASE_URL", "mysql://th:hush@db/th"), ("REDIS_URL", "http://:hush@redis")];
    let file = "issuer = 'https://th:hush@id.example.com'";
    let found = problems(file, &secrets);
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(!found.concat().contains("hush"), "{found:?}");
}

#[test]
fn the_issuer_follows_a_loopback_listener_and_must_be_set_for_any_other() {
    let issuer = |variables: &[_]| read("", variables).map(|config| config.issuer);
    assert_eq!(issuer(&[("TOKENHOUSE_LISTEN", "127.0.0.1:9000")]).unwrap(), "http://127.0.0.1:9000");
    assert_eq!(issuer(&[("TOKENHOUSE_LISTEN", "[::1]:9000")]).unwrap(), "http://[::1]:9000");
    let tls = [("TOKENHOUSE__TLS__CERT", "c.pem"), ("TOKENHOUSE__TLS__KEY", "k.pem")];
    assert_eq!(issuer(&tls).unwrap(), "https://127.0.0.1:8080");
    assert!(issuer(&[("TOKENHOUSE_LISTEN", "0.0.0.0:9000")]).unwrap_err()[0].starts_with("issuer: set it"));
    let both = [("TOKENHOUSE_LISTEN", "0.0.0.0:9000"), ("TOKENHOUSE_ISSUER", "https://id.example.com")];
    assert_eq!(issuer(&both).unwrap(), "https://id.example.com");
}

#[test]
fn an_issuer_is_an_https_url_as_everybody_would_write_it() {
    let accepted = [
        "https://id.example.com",
        "https://id.example.com:8443",
        "https://example.com/id",
        "http://localhost:8080",
        "http://th.localhost",
        "http://127.0.0.1",
        "http://[::1]:8080",
    ];
    for issuer in accepted {
        assert_eq!(read(&format!("issuer = '{issuer}'"), &[]).unwrap().issuer, issuer);
    }
    let refused = [
        "",
        "id.example.com",
        "/id",
        "http://id.example.com",
        "http://localhost.example.com",
        "ftp://id.example.com",
        "https://id.example.com/",
        "https://id.example.com/id/",
        "https://id.example.com?x=1",
        "https://id.example.com#x",
        "https://ID.example.com",
        "https://id.example.com:443",
        "https://id.example.com/a/../b",
        "https://ïd.example.com",
        " https://id.example.com",
    ];
    for issuer in refused {
        assert!(problem(&format!("issuer = '{issuer}'")).starts_with("issuer: "), "{issuer}");
    }
}

#[test]
fn addresses_of_this_server_lie_where_the_issuer_does() {
    let path = |issuer: &str| Config { issuer: issuer.to_owned(), ..Config::default() }.path_to("/login");
    assert_eq!(path("https://id.example.com"), "/login");
    assert_eq!(path("https://example.com/id"), "/id/login");
    assert_eq!(path("http://127.0.0.1:8080/a/b"), "/a/b/login");
}

#[test]
fn values_that_cannot_be_right_are_refused_by_name() {
    for (section, setting) in [
        ("", "listen = 'localhost:8080'"),
        ("", "ops_listen = '127.0.0.1:8080'"),
        ("", "ops_listen = ':9090'"),
        ("", "workers = 5000"),
        ("", "workers = -1"),
        ("", "workers = 1.5"),
        ("", "trusted_proxies = ['proxy']"),
        ("database", "url = 'mysql://db/th'"),
        ("database", "url = 'sqlite:'"),
        ("database", "max_connections = 0"),
        ("database", "statement_timeout = '0'"),
        ("redis", "url = 'http://redis'"),
        ("redis", "key_prefix = 'th:{1}'"),
        ("redis", "command_timeout = '2h'"),
        ("keys", "additional_algorithms = ['EdDSA', 'EdDSA']"),
        ("keys", "rotate_every = '5m'"),
        ("keys", "jwks_max_age = '2d'"),
        ("keys", "folder = ''"),
        ("tokens", "access_lifetime = '0'"),
        ("tokens", "access_lifetime = '25h'"),
        ("tokens", "refresh_lifetime = '31d'"),
        ("refresh", "retry_window = '11m'"),
        ("refresh", "lost_response_window = '25h'"),
        ("clients", "secret_overlap = '366d'"),
        ("simplejwt", "audience = ''"),
        ("simplejwt", "scope = 'a  b'"),
        ("passwords", "memory_kib = 7167"),
        ("passwords", "memory_kib = 262145"),
        ("passwords", "iterations = 11"),
        ("passwords", "parallelism = 0"),
        ("passwords", "threads = 65"),
        ("passwords", "queue = 0"),
        ("passwords", "minimum_length = 5"),
        ("limits", "by_address = '10/2d'"),
        ("limits", "authorizations_by_address = '10/2d'"),
        ("tokens", "id_token_lifetime = '25h'"),
        ("browser_sessions", "idle_lifetime = '31d'"),
        ("browser_sessions", "absolute_lifetime = '3651d'"),
        ("oauth", "code_lifetime = '61s'"),
        ("oauth", "pkce = 'nobody'"),
        ("branding", "name = ' '"),
        ("branding", "logo = ''"),
        ("branding", "accent = 'blue'"),
        ("branding", "policy_uri = 'javascript:alert(1)'"),
        ("branding", "terms_uri = 'http://example.com/terms'"),
        ("tls", "cert = 'cert.pem'"),
        ("log", "level = ''"),
        ("shutdown", "drain = '11m'"),
    ] {
        let key = setting.split_once(" =").unwrap().0;
        let (name, file) = match section {
            "" => (key.to_owned(), setting.to_owned()),
            _ => (format!("{section}.{key}"), format!("[{section}]\n{setting}")),
        };
        let name = if setting == "cert = 'cert.pem'" { "tls.key".to_owned() } else { name };
        assert!(problem(&file).starts_with(&format!("{name}: ")), "{setting}: {}", problem(&file));
    }
}

#[test]
fn less_memory_for_a_password_needs_more_passes_over_it() {
    let with = |memory: u32, passes: u32| {
        read(&format!("[passwords]\nmemory_kib = {}\niterations = {passes}", memory * 1024), &[])
    };
    for (memory, passes) in [(46, 1), (19, 2), (12, 3), (9, 4), (7, 5), (7, 10)] {
        assert!(with(memory, passes).is_ok(), "{memory} MiB, {passes}");
        assert!(with(memory - 1, passes).is_err(), "{memory} MiB, {passes}");
    }
    assert!(with(19, 1).is_err());
    assert!(with(19, 0).is_err());
}

#[test]
fn a_file_that_was_named_must_exist() {
    let error = load(Some(Path::new("/nowhere/tokenhouse.toml"))).unwrap_err();
    assert!(error.to_string().contains("/nowhere/tokenhouse.toml: cannot read the file"), "{error}");
}
