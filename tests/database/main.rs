//! The database on every engine: SQLite always, PostgreSQL where `TEST_DATABASE_URL` names a server.

#![expect(clippy::unwrap_used, reason = "tests")]

mod clients;
mod consents;
mod faults;
mod feed;
mod ephemeral;
mod test_database;
mod keys;
mod browser_sessions;
mod backchannel_logouts;
mod memory;
mod metadata;
mod notify;
mod status;
mod revoked_indexes;
mod schema;
mod sessions;
mod sessions_end;
mod users;
