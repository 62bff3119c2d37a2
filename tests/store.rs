//! The contract of the ephemeral store, run by every backend: embedded on `SQLite`, embedded on `PostgreSQL`, and
//! Redis.
//!
//! The rules stand in `store/sessions.rs` and `store/values.rs`; a new backend is done when they hold on it. What only
//! Redis can do to us stands in `store/redis_*.rs`.

#![expect(clippy::unwrap_used, reason = "a test may fail that way")]

use test_support as support;

mod store {
    mod backends;
    mod redis_faults;
    mod redis_gate;
    mod redis_records;
    mod sessions;
    mod values;
}
