//! The fixtures of all test programs: one server ([`test_server`]), one cluster ([`cluster`]), and what they stand on,
//! such as fresh databases, fresh key prefixes and private Redis servers.
//!
//! `./test` starts the servers and names them in `TEST_DATABASE_URL` (a user who may create databases) and
//! `TEST_REDIS_URL`. With `TEST_BACKENDS=sqlite` only what needs no server runs.

#![allow(clippy::unwrap_used, clippy::must_use_candidate, clippy::missing_panics_doc, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "tests have no configuration and no `Ctx`")]

pub mod answer;
pub mod balancer;

pub mod browser;
pub mod cluster;
pub mod event_reader;
pub mod installation;
pub mod packages;
pub mod pem;
pub mod postgres;
pub mod private_redis;
pub mod process;
pub mod program;
pub mod provider;
pub mod proxy;
pub mod quiet_instance;
pub mod records;
pub mod redis;
mod session_records;
pub mod sqlite;
pub mod test_server;
mod wire;

use std::io::Write;

/// Whether this run is for `SQLite` alone (`./test --quick`).
pub fn only_sqlite() -> bool {
    std::env::var("TEST_BACKENDS").is_ok_and(|backends| backends == "sqlite")
}

/// Whether the long runs are wanted as well (`./test --long`).
pub fn long() -> bool {
    std::env::var("TEST_LONG").is_ok_and(|long| long == "1")
}

/// Reports that a test could not be run. The line goes past the test harness, which would capture it; `./test` counts
/// these lines.
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

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Waits until background work has brought it about.
pub async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    for _ in 0..800 {
        if holds().await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("it never came: {what}");
}
