//! Places for tests to live in: a fresh database, a fresh key prefix, a private Redis server.
//!
//! `./test` starts the servers and names them in `TEST_DATABASE_URL` (a user who may create databases) and
//! `TEST_REDIS_URL`. With `TEST_BACKENDS=sqlite` only what needs no server runs.

#![allow(dead_code, unreachable_pub, reason = "each test program uses its own part")]
#![allow(clippy::disallowed_methods, reason = "tests have no configuration and no `Ctx`")]

pub mod browser;
pub mod event_reader;
pub mod packages;
pub mod postgres;
pub mod private_redis;
pub mod program;
pub mod records;
pub mod redis;
pub mod sqlite;

use std::io::Write;

/// Whether this run is for `SQLite` alone (`./test --quick`).
pub fn only_sqlite() -> bool {
    std::env::var("TEST_BACKENDS").is_ok_and(|backends| backends == "sqlite")
}

/// Whether the long runs are wanted as well (`./test --long`).
pub fn long() -> bool {
    std::env::var("TEST_LONG").is_ok_and(|long| long == "1")
}

/// Says that a test could not be run, past the test harness, which would keep it to itself. `./test` counts these
/// lines.
pub fn skipped(why: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let _ = writeln!(std::io::stderr(), "SKIPPED: {test}: {why}");
}

fn server(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set: run ./test, or ./test --quick"))
}

/// A name that no other test uses.
pub fn fresh_name(kind: &str) -> String {
    format!("{kind}_{}", uuid::Uuid::new_v4().simple())
}
