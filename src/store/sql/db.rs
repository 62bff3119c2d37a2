//! The one way to the database: every statement goes through here, is counted, and ends in time.
//!
//! What to know of sqlx's Any driver:
//! - It carries `i64`, `String`, `Vec<u8>` and their `Option`s. PostgreSQL's `numeric` does not pass: `sum(bigint)`
//!   and `extract(…)` are `numeric` and need a cast; `count(*)`, `max(bigint)` and `row_number()` are `bigint`.
//! - SQLite's values are read by the type that they have, not by the column's: `cast($1 as bigint)` and expressions
//!   arrive as `i64`, and a null of any type as `None`.
//! - PostgreSQL refuses a placeholder that the text does not use; SQLite does not care.
//! - On SQLite `fetch_optional` stops at the first row, and a `returning` statement then commits out of sight, without
//!   its error. So everything is fetched to its end here.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyPool, AssertSqlSafe};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use super::Dialect;
use super::failed::{failed, failed_unless_unique, too_slow};
use crate::clock::Stopwatch;
use crate::store::StoreError;

/// A statement with its values.
pub(super) type Query = sqlx::query::Query<'static, Any, AnyArguments>;

/// A statement whose text is written out here.
pub(super) fn query(text: &'static str) -> Query {
    sqlx::query(text)
}

/// A statement that reads rows which then stay as they are until the end of its transaction: PostgreSQL locks them for
/// share; of SQLite's writers there is one at a time.
macro_rules! shared_query {
    ($dialect:expr, $text:literal) => {
        $crate::store::sql::db::query(match $dialect {
            $crate::store::sql::Dialect::Postgres => concat!($text, " for share"),
            $crate::store::sql::Dialect::Sqlite => $text,
        })
    };
}
pub(super) use shared_query;

/// A statement put together from texts that are written out here; values go in by placeholders only.
pub(super) fn composed(text: String) -> Query {
    sqlx::query(AssertSqlSafe(text))
}

/// A pool of connections.
#[derive(Clone)]
pub(super) struct Db {
    pool: AnyPool,
    dialect: Dialect,
    limits: Limits,
    statements: Arc<AtomicU64>,
    /// Rung by commits that the change feed tells of.
    news: Arc<Notify>,
    /// SQLite has one writer at a time. Writers of this process queue here, in order and without the naps of SQLite's
    /// own waiting; its `busy_timeout` is for other processes.
    writer: Option<Arc<Semaphore>>,
}

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Waiting for one's turn.
    pub(super) acquire: Duration,
    /// An operation, all its statements together.
    pub(super) operation: Duration,
}

impl Db {
    pub(super) fn new(pool: AnyPool, dialect: Dialect, limits: Limits) -> Self {
        let writer = match dialect {
            Dialect::Postgres => None,
            Dialect::Sqlite => Some(Arc::new(Semaphore::new(1))),
        };
        Self { pool, dialect, limits, statements: Arc::default(), news: Arc::default(), writer }
    }

    /// The same database, its writers' queue and its counter, with other connections.
    pub(super) fn with_pool(&self, pool: AnyPool) -> Self {
        Self { pool, ..self.clone() }
    }

    pub(super) const fn dialect(&self) -> Dialect {
        self.dialect
    }

    pub(super) fn statements(&self) -> u64 {
        self.statements.load(Ordering::Relaxed)
    }

    pub(super) fn news(&self) -> &Notify {
        &self.news
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    /// The rows of a statement that only reads.
    pub(super) async fn read(&self, query: Query) -> Result<Vec<AnyRow>, StoreError> {
        self.work(None).await?.read(query).await
    }

    /// The row of a statement that only reads and finds one at most.
    pub(super) async fn read_one(&self, query: Query) -> Result<Option<AnyRow>, StoreError> {
        Ok(self.read(query).await?.into_iter().next())
    }

    /// A statement that writes, as a transaction of its own; says how many rows it wrote.
    pub(super) async fn write(&self, query: Query) -> Result<u64, StoreError> {
        self.work(self.turn().await?).await?.write(query).await
    }

    /// A statement that writes one row at most and returns it, as a transaction of its own.
    pub(super) async fn write_one(&self, query: Query) -> Result<Option<AnyRow>, StoreError> {
        self.work(self.turn().await?).await?.read_one(query).await
    }

    /// Begins a transaction that writes.
    pub(super) async fn begin(&self) -> Result<Work, StoreError> {
        self.begin_within(self.limits).await
    }

    /// Begins a transaction that may take (and wait) as long as `limits` says.
    pub(super) async fn begin_within(&self, limits: Limits) -> Result<Work, StoreError> {
        let db = Self { limits, ..self.clone() };
        let mut work = db.work(db.turn().await?).await?;
        let begin = match self.dialect {
            Dialect::Postgres => "begin",
            // A deferred transaction that reads first cannot be made to wait when it turns to writing.
            Dialect::Sqlite => "begin immediate",
        };
        work.write(query(begin)).await?;
        work.state = State::InTransaction;
        Ok(work)
    }

    async fn turn(&self) -> Result<Option<OwnedSemaphorePermit>, StoreError> {
        let Some(writer) = &self.writer else { return Ok(None) };
        match timeout(self.limits.acquire, Arc::clone(writer).acquire_owned()).await {
            Ok(Ok(turn)) => Ok(Some(turn)),
            Ok(Err(_)) => Err(failed(sqlx::Error::PoolClosed)),
            Err(_) => Err(failed(sqlx::Error::PoolTimedOut)),
        }
    }

    async fn work(&self, turn: Option<OwnedSemaphorePermit>) -> Result<Work, StoreError> {
        let connection = self.pool.acquire().await.map_err(failed)?;
        Ok(Work {
            connection,
            state: State::Clean,
            started: Stopwatch::start(),
            limit: self.limits.operation,
            statements: Arc::clone(&self.statements),
            news: Arc::clone(&self.news),
            is_notified: false,
            _turn: turn,
        })
    }
}

/// A connection at work, in a transaction or not. Dropped before [`Work::commit`], it undoes what it did.
pub(super) struct Work {
    connection: PoolConnection<Any>,
    state: State,
    started: Stopwatch,
    limit: Duration,
    statements: Arc<AtomicU64>,
    news: Arc<Notify>,
    is_notified: bool,
    _turn: Option<OwnedSemaphorePermit>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The connection may go back to the pool.
    Clean,
    /// A transaction is open.
    InTransaction,
    /// A statement was sent and its end not seen.
    Waiting,
}

impl Work {
    /// The rows that a statement finds, or that it wrote and returns.
    pub(super) async fn read(&mut self, query: Query) -> Result<Vec<AnyRow>, StoreError> {
        let (left, before) = self.send();
        let answer = timeout(left, query.fetch_all(&mut *self.connection)).await;
        self.receive(answer, before).map_err(failed)
    }

    /// The one row that a statement finds, or wrote and returns.
    pub(super) async fn read_one(&mut self, query: Query) -> Result<Option<AnyRow>, StoreError> {
        Ok(self.read(query).await?.into_iter().next())
    }

    /// How many rows a statement wrote.
    pub(super) async fn write(&mut self, query: Query) -> Result<u64, StoreError> {
        self.run(query).await.map_err(failed)
    }

    /// Like [`Work::write`]; a unique key that is taken is a [`StoreError::Conflict`].
    pub(super) async fn write_unique(&mut self, query: Query) -> Result<u64, StoreError> {
        self.run(query).await.map_err(failed_unless_unique)
    }

    /// Several statements in one text, without values.
    pub(super) async fn script(&mut self, text: &'static str) -> Result<(), StoreError> {
        let (left, before) = self.send();
        let answer = timeout(left, sqlx::raw_sql(text).execute(&mut *self.connection)).await;
        self.receive(answer, before).map(drop).map_err(failed)
    }

    /// The change feed tells of this transaction: whoever follows the feed in this process is woken by the commit.
    pub(super) fn is_notified(&mut self) {
        self.is_notified = true;
    }

    /// Keeps what was done.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        self.write(query("commit")).await?;
        self.state = State::Clean;
        if self.is_notified {
            self.news.notify_one();
        }
        Ok(())
    }

    /// Undoes what was done; dropping does it too, but gives up the connection.
    pub(super) async fn rollback(mut self) -> Result<(), StoreError> {
        self.write(query("rollback")).await?;
        self.state = State::Clean;
        Ok(())
    }

    async fn run(&mut self, query: Query) -> Result<u64, sqlx::Error> {
        let (left, before) = self.send();
        let answer = timeout(left, query.execute(&mut *self.connection)).await;
        Ok(self.receive(answer, before)?.rows_affected())
    }

    /// How long the statement may take, and the state to return to after it.
    fn send(&mut self) -> (Duration, State) {
        self.statements.fetch_add(1, Ordering::Relaxed);
        (self.limit.saturating_sub(self.started.elapsed()), std::mem::replace(&mut self.state, State::Waiting))
    }

    fn receive<T>(&mut self, answer: Result<Result<T, sqlx::Error>, Elapsed>, before: State) -> Result<T, sqlx::Error> {
        let answer = answer.map_err(|_| too_slow())?;
        self.state = before;
        answer
    }
}

impl Drop for Work {
    /// Closing is the one way to end a statement or a transaction of which nothing is known, also when the request
    /// was cancelled. Back in the pool, the connection would wait for an answer that may never come.
    fn drop(&mut self) {
        if self.state != State::Clean {
            self.connection.close_on_drop();
        }
    }
}
