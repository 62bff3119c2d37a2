//! Opens the database and configures each connection before its first use.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::any::{AnyConnectOptions, AnyPoolOptions, install_default_drivers};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AnyPool, AssertSqlSafe, ConnectOptions, Connection, PgPool, Row};
use url::Url;

use super::db::{Db, Limits};
use super::failed::{failed, is_busy, refused};
use super::settings::{DatabaseSettings, Dialect};
use crate::clock::Stopwatch;
use crate::store::StoreError;

/// SQLite has one writer at a time, so further connections would only wait.
const MAX_SQLITE_CONNECTIONS: u32 = 4;
const MAX_SQLITE_QUICK_CONNECTIONS: u32 = 2;

/// Opens the pool of the database and the one of the embedded ephemeral store.
///
/// On SQLite the two differ in `synchronous`. Commits of the database are `full`: the write-ahead log is on disk before
/// a revocation is acknowledged, so neither `kill -9` nor a power failure undoes it. Commits of the ephemeral store are
/// `normal`: they survive `kill -9`, and a power failure loses at most the last rotations. A Redis failover may lose
/// these too, and rolling forward repairs the loss. A `full` commit also flushes all earlier commits.
pub(super) async fn open(settings: &DatabaseSettings) -> Result<(Db, Db), StoreError> {
    install_default_drivers();
    let limits = Limits {
        acquire: settings.acquire_timeout,
        operation: settings.acquire_timeout + settings.statement_timeout * 2,
    };
    match settings.url.split(':').next() {
        Some("postgres" | "postgresql") => {
            let pool = postgres(settings, limits).await?;
            let db = Db::new(pool, Dialect::Postgres, limits);
            Ok((db.clone(), db))
        }
        Some("sqlite") => {
            let file = sqlite_file(&settings.url)?;
            make_file(&file).map_err(|error| StoreError::NotOpened {
                what: format!("cannot open the file {} (make the folder, or correct DATABASE_URL)", file.display()),
                source: Box::new(error),
            })?;
            let options = sqlite_options(file)?;
            turn_on_wal(&options, settings.statement_timeout).await?;
            let most = settings.max_connections.clamp(1, MAX_SQLITE_CONNECTIONS);
            let db = Db::new(sqlite(settings, &options, "full", most).await?, Dialect::Sqlite, limits);
            let quick = db.with_pool(sqlite(settings, &options, "normal", MAX_SQLITE_QUICK_CONNECTIONS).await?);
            Ok((db, quick))
        }
        _ => Err(refused("the database URL begins with postgres:// or sqlite://")),
    }
}

/// Opens the pool of the one connection that listens, which connects at its first use. It is separate because the time
/// limits of the other connections are shorter than its waits.
pub(super) fn listening(url: &str) -> Result<PgPool, StoreError> {
    let options = PgConnectOptions::from_str(url).map_err(failed)?.application_name("tokenhouse feed");
    let pool = PgPoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
    Ok(pool.connect_lazy_with(options))
}

async fn postgres(settings: &DatabaseSettings, limits: Limits) -> Result<AnyPool, StoreError> {
    let options = AnyConnectOptions::from_str(&settings.url).map_err(failed)?.disable_statement_logging();
    let statement = settings.statement_timeout.as_millis().to_string();
    // An instance that was suspended in the middle of a transaction (SIGSTOP, a frozen virtual machine) must not hold
    // the feed's lock for longer than its own clients wait.
    let idle = limits.operation.as_millis().to_string();
    AnyPoolOptions::new()
        .max_connections(settings.max_connections.max(1))
        .acquire_timeout(settings.acquire_timeout)
        .after_connect(move |connection, _| {
            let (statement, idle) = (statement.clone(), idle.clone());
            Box::pin(async move {
                sqlx::query(
                    "select
                       set_config('statement_timeout', $1, false),
                       set_config('lock_timeout', $1, false),
                       set_config('idle_in_transaction_session_timeout', $2, false),
                       set_config('application_name', 'tokenhouse', false)",
                )
                .bind(statement)
                .bind(idle)
                .fetch_all(connection)
                .await
                .map(drop)
            })
        })
        .connect_with(options)
        .await
        .map_err(|error| not_reached(&settings.url, error))
}

/// Builds the error from host and port only, since the URL contains a password.
fn not_reached(url: &str, error: sqlx::Error) -> StoreError {
    let url = Url::parse(url).ok();
    let position = url.and_then(|url| Some(format!(" at {}:{}", url.host_str()?, url.port().unwrap_or(5432))));
    let position = position.unwrap_or_default();
    StoreError::NotOpened {
        what: format!("cannot reach the database{position} (start PostgreSQL, or correct DATABASE_URL)"),
        source: Box::new(error),
    }
}

async fn sqlite(
    settings: &DatabaseSettings,
    options: &AnyConnectOptions,
    synchronous: &str,
    most: u32,
) -> Result<AnyPool, StoreError> {
    let set_up = format!(
        "pragma busy_timeout = {}; pragma synchronous = {synchronous}; pragma foreign_keys = on",
        settings.statement_timeout.as_millis()
    );
    AnyPoolOptions::new()
        .max_connections(most)
        .acquire_timeout(settings.acquire_timeout)
        // No network lies in between that could have cut an idle connection.
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .after_connect(move |connection, _| {
            let set_up = set_up.clone();
            Box::pin(async move { sqlx::raw_sql(AssertSqlSafe(set_up)).execute(connection).await.map(drop) })
        })
        .connect_with(options.clone())
        .await
        .map_err(failed)
}

fn sqlite_file(url: &str) -> Result<PathBuf, StoreError> {
    let named = SqliteConnectOptions::from_str(url).map_err(failed)?;
    let file = named.get_filename();
    if url.contains(":memory:") || url.contains("mode=memory") || file.as_os_str().is_empty() {
        return Err(refused("the database needs a file: sqlite://path"));
    }
    std::path::absolute(file).map_err(|error| failed(error.into()))
}

/// Creates the file and its folder if they are missing, accessible to this user only. SQLite gives `-wal` and `-shm`
/// the same mode.
fn make_file(file: &Path) -> io::Result<()> {
    let (mut folder, mut options) = (DirBuilder::new(), OpenOptions::new());
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
        folder.mode(0o700);
        options.mode(0o600);
    }
    if let Some(parent) = file.parent() {
        folder.recursive(true).create(parent)?;
    }
    options.append(true).create(true).open(file).map(drop)
}

/// Converts the path to a URL again, because the Any driver accepts nothing else.
fn sqlite_options(file: PathBuf) -> Result<AnyConnectOptions, StoreError> {
    let url = SqliteConnectOptions::new().filename(file).to_url_lossy();
    Ok(AnyConnectOptions::from_url(&url).map_err(failed)?.disable_statement_logging())
}

/// Turns on the write-ahead log, in which readers do not wait for the writer. The file keeps this mode. The change
/// needs exclusive access and ignores `busy_timeout`, so instances that start at the same time retry here.
async fn turn_on_wal(options: &AnyConnectOptions, patience: Duration) -> Result<(), StoreError> {
    let started = Stopwatch::start();
    loop {
        match try_wal(options).await {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(_) => return Err(refused("the file system of the database does not support SQLite's write-ahead log")),
            Err(error) if is_busy(&error) && started.elapsed() < patience => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Err(error) => return Err(failed(error)),
        }
    }
}

async fn try_wal(options: &AnyConnectOptions) -> Result<String, sqlx::Error> {
    let mut connection = options.connect().await?;
    let row = sqlx::query("pragma journal_mode = wal").fetch_one(&mut connection).await;
    connection.close().await?;
    row?.try_get(0)
}
