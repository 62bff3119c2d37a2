//! What may break around Tokenhouse, and what must hold all the same: servers that are killed, cut off, emptied, rolled
//! back and locked, instances that are killed and stopped, answers that are lost.
//!
//! Every run records a [`history`], and [`checks`] reads it. `tests/README.md` says which row of the catalogue of
//! faults is which test. `TEST_LONG=1` (`./test --long`) multiplies the counts.

#![allow(unreachable_pub, clippy::unwrap_used, clippy::missing_panics_doc, reason = "tests")]

mod answers_lost;
mod checks;
mod checks_fail;
mod commit_unknown;
mod clients;
mod events_stand_still;
mod history;
mod instance_killed;
mod instance_stopped;
mod keys;
mod database_away;
mod postgres;
mod races;
mod redis_away;
mod recorded_cluster;
mod redis_forgets;
mod settings;

use test_support as support;
use test_support::{process, proxy, test_server as server};

/// How often: a few times, or many in the long run.
fn times(quick: usize, long: usize) -> usize {
    if support::long() { long } else { quick }
}
