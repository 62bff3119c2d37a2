//! What may break around Tokenhouse, and what must hold all the same: servers that are killed, cut off, emptied, rolled
//! back and locked, instances that are killed and stopped, answers that are lost.
//!
//! Every run records a [`history`], and [`checks`] reads it. `tests/README.md` says which row of the catalogue of
//! faults is which test. `TEST_LONG=1` (`./test --long`) multiplies the counts.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::missing_panics_doc, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "tests have no configuration and no `Ctx`")]
#![allow(dead_code, reason = "the server speaks more verbs than these tests use")]

mod answers_lost;
mod checks;
mod checks_fail;
mod commit_unknown;
mod clients;
mod events_stand_still;
mod history;
#[path = "../support/test_server.rs"]
mod server;
mod instance_killed;
mod instance_stopped;
mod keys;
mod database_away;
mod postgres;
#[path = "../support/process.rs"]
mod process;
#[path = "../support/proxy.rs"]
mod proxy;
mod races;
mod redis_away;
mod redis_forgets;
#[path = "../support/lib.rs"]
mod support;
mod cluster;
#[path = "../support/wire.rs"]
mod wire;

/// Whether this is the long run.
fn is_long() -> bool {
    std::env::var("TEST_LONG").is_ok_and(|value| value == "1")
}

/// How often: a few times, or many in the long run.
fn times(quick: usize, long: usize) -> usize {
    if is_long() { long } else { quick }
}
