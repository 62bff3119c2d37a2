//! The outside packages and their homes.

/// What has a home, and the only positions under `src/` that may name it. `store/redis` is `store/redis.rs` and all of
/// `store/redis/`; a `*` at the end of the last name stands for any ending. The verifier is a crate of its own,
/// with its own dependencies: it is not looked at here.
pub(crate) const HOMES: &[(&str, &[&str])] = &[
    ("actix_*", &["http", "app"]),
    ("argon2", &["passwords"]),
    ("aws_lc_rs", &["keys", "clock", "digest", "passwords"]),
    ("aws_lc_rs::rand::SecureRandom", &["clock"]),
    ("aws_lc_rs::rsa", &["keys"]),
    ("aws_lc_rs::signature", &["keys"]),
    ("bcrypt", &["passwords"]),
    ("bytes", &["status_lists"]),
    ("clap", &["cli"]),
    ("flate2", &["status_lists"]),
    ("fluent_bundle", &["http/pages"]),
    ("ipnet", &["config"]),
    ("jsonwebtoken", &["keys"]),
    ("metrics*", &["http", "app"]),
    ("minijinja", &["http/pages"]),
    ("redis", &["store/redis"]),
    ("reqwest", &["outbound"]),
    ("rsa", &["keys"]),
    ("socket2", &["app"]),
    ("sqlx", &["store/sql"]),
    ("toml", &["config"]),
];

/// The environment is part of the configuration: read once, at start, and checked with everything else.
pub(crate) const ENVIRONMENT: &[(&str, &[&str])] = &[("std::env", &["config"])];
