//! Maps errors of the database to [`StoreError`].

use sqlx::Error;
use sqlx::postgres::PgDatabaseError;
use sqlx::sqlite::SqliteError;

use crate::store::{StoreError, UniqueKey};

const STORE: &str = "database";

/// Maps an error of the driver: the database is unavailable, or it refused what this program sent. Where it can be
/// either, the database counts as unavailable: the answer is then 503 instead of 500, and clients retry.
pub(super) fn failed(error: Error) -> StoreError {
    match &error {
        Error::Database(cause) => {
            if let Some(cause) = cause.try_downcast_ref::<PgDatabaseError>() {
                if is_away_postgres(cause.code()) { unavailable(error) } else { broken(error) }
            } else if let Some(code) = cause.try_downcast_ref::<SqliteError>().and_then(sqlite_code) {
                match code {
                    SQLITE_CORRUPT | SQLITE_NOTADB => StoreError::Corrupt("the database's file is damaged".to_owned()),
                    code if is_away_sqlite(code) => unavailable(error),
                    _ => broken(error),
                }
            } else {
                broken(error)
            }
        }
        // A connection that was cut in the middle of a message reports `Protocol`.
        Error::Io(_)
        | Error::Tls(_)
        | Error::Protocol(_)
        | Error::PoolTimedOut
        | Error::PoolClosed
        | Error::WorkerCrashed
        | Error::BeginFailed => unavailable(error),
        _ => broken(error),
    }
}

/// The unique keys: PostgreSQL's name of the constraint, SQLite's name of the column, and their meaning.
const UNIQUE_KEYS: [(&str, &str, UniqueKey); 9] = [
    ("users_pkey", "users.id", UniqueKey::UserId),
    ("users_username_key_key", "users.username_key", UniqueKey::Username),
    ("users_email_key_key", "users.email_key", UniqueKey::Email),
    ("clients_pkey", "clients.id", UniqueKey::ClientId),
    ("sessions_pkey", "sessions.id", UniqueKey::SessionId),
    ("browser_sessions_pkey", "browser_sessions.id", UniqueKey::BrowserSessionId),
    ("browser_sessions_cookie_key", "browser_sessions.cookie", UniqueKey::BrowserSessionCookie),
    ("signing_keys_pkey", "signing_keys.kid", UniqueKey::Kid),
    ("signing_keys_one_active", "signing_keys.algorithm", UniqueKey::ActiveSigningKey),
];

/// Like [`failed`], where a unique key may be taken.
pub(super) fn failed_unless_unique(error: Error) -> StoreError {
    unique_key(&error).map_or_else(|| failed(error), StoreError::Conflict)
}

/// Returns the key that is taken. PostgreSQL names the constraint, SQLite the column in its message.
fn unique_key(error: &Error) -> Option<UniqueKey> {
    let Error::Database(cause) = error else { return None };
    if !cause.is_unique_violation() {
        return None;
    }
    let named = cause.constraint().or_else(|| cause.message().strip_prefix("UNIQUE constraint failed: "))?;
    let (.., key) = UNIQUE_KEYS.iter().find(|(constraint, column, _)| named == *constraint || named == *column)?;
    Some(*key)
}

pub(super) fn refused(why: &'static str) -> StoreError {
    broken(Error::Configuration(why.into()))
}

pub(super) fn too_slow() -> Error {
    Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "the database took too long"))
}

fn unavailable(error: Error) -> StoreError {
    StoreError::Unavailable { store: STORE, source: Box::new(error) }
}

fn broken(error: Error) -> StoreError {
    StoreError::Broken { store: STORE, source: Box::new(error) }
}

/// Whether the SQLSTATE (PostgreSQL documentation, appendix A) means that the server cannot serve at the moment.
fn is_away_postgres(code: &str) -> bool {
    const CLASSES: [&str; 4] = [
        "08",   // the connection broke
        "53",   // disk, memory or connections are used up
        "57P0", // shut down, crashed, starting up
        "58",   // the system under the database failed
    ];
    const CODES: [&str; 6] = [
        "57014", // statement_timeout
        "55P03", // lock_timeout
        "40001", // serialization failure
        "40P01", // deadlock
        "25006", // read-only: a standby, or one that was just demoted
        "25P03", // idle_in_transaction_session_timeout
    ];
    CLASSES.iter().any(|class| code.starts_with(class)) || CODES.contains(&code)
}

const SQLITE_CORRUPT: i32 = 11;
const SQLITE_NOTADB: i32 = 26;

/// Returns the primary result code (<https://www.sqlite.org/rescode.html>), the low byte of the extended one.
fn sqlite_code(error: &SqliteError) -> Option<i32> {
    let extended: i32 = sqlx::error::DatabaseError::code(error)?.parse().ok()?;
    Some(extended & 0xff)
}

fn is_away_sqlite(code: i32) -> bool {
    const BUSY: i32 = 5;
    const LOCKED: i32 = 6;
    const NOMEM: i32 = 7;
    const READONLY: i32 = 8;
    const IOERR: i32 = 10;
    const FULL: i32 = 13;
    const CANTOPEN: i32 = 14;
    const PROTOCOL: i32 = 15;
    [BUSY, LOCKED, NOMEM, READONLY, IOERR, FULL, CANTOPEN, PROTOCOL].contains(&code)
}

/// Whether another connection holds a lock of the SQLite file.
pub(super) fn is_busy(error: &Error) -> bool {
    let Error::Database(cause) = error else { return false };
    cause.try_downcast_ref::<SqliteError>().and_then(sqlite_code).is_some_and(|code| code == 5 || code == 6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_cannot_answer_for_now_is_away() {
        for code in ["08006", "53300", "53100", "57P01", "57P03", "57014", "55P03", "40001", "40P01", "25006", "58030"]
        {
            assert!(is_away_postgres(code), "{code}");
        }
        for code in ["23505", "42P01", "42703", "22021", "28P01", "XX000", "57000"] {
            assert!(!is_away_postgres(code), "{code}");
        }
    }

    #[test]
    fn errors_of_the_pool_and_the_network_are_away_and_others_are_ours() {
        assert!(matches!(failed(Error::PoolTimedOut), StoreError::Unavailable { store: "database", .. }));
        assert!(matches!(failed(Error::PoolClosed), StoreError::Unavailable { .. }));
        assert!(matches!(failed(Error::WorkerCrashed), StoreError::Unavailable { .. }));
        assert!(matches!(failed(too_slow()), StoreError::Unavailable { .. }));
        assert!(matches!(failed(Error::RowNotFound), StoreError::Broken { .. }));
        assert!(matches!(failed(Error::ColumnNotFound("x".to_owned())), StoreError::Broken { .. }));
    }
}
