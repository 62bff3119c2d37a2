//! The single access path to the database: every statement goes through here, is counted, and has a time limit.
//!
//! Properties of the Any driver of `sqlx`:
//! - It carries `i64`, `String`, `Vec<u8>` and their `Option`s, but not PostgreSQL's `numeric`: `sum(bigint)` and
//!   `extract(…)` are `numeric` and need a cast; `count(*)`, `max(bigint)` and `row_number()` are `bigint`.
//! - SQLite's values are read by their own type, not by the column's: `cast($1 as bigint)` and expressions arrive as
//!   `i64`, and a null of any type as `None`.
//! - PostgreSQL refuses a parameter that the text does not use; SQLite accepts it.
//! - On SQLite `fetch_optional` stops at the first row. A `returning` statement then commits later, and its error is
//!   lost. All statements are therefore fetched to their end here.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyPool, AssertSqlSafe};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use super::failed::{failed, failed_unless_unique, too_slow};
use super::settings::Dialect;
use crate::clock::Stopwatch;
use crate::store::StoreError;
use crate::store::change::Change;
use crate::store::memory::Memory;

pub(super) type Query = sqlx::query::Query<'static, Any, AnyArguments>;

pub(super) fn query(text: &'static str) -> Query {
    sqlx::query(text)
}

/// Builds a statement whose rows stay unchanged until the end of its transaction. PostgreSQL locks them for share;
/// SQLite has one writer at a time.
macro_rules! shared_query {
    ($dialect:expr, $text:literal) => {
        $crate::store::sql::db::query(match $dialect {
            $crate::store::sql::Dialect::Postgres => concat!($text, " for share"),
            $crate::store::sql::Dialect::Sqlite => $text,
        })
    };
}
pub(super) use shared_query;

/// Builds a statement from a text composed of literals. Values must be passed through placeholders only.
pub(super) fn composed(text: String) -> Query {
    sqlx::query(AssertSqlSafe(text))
}

#[derive(Clone)]
pub(super) struct Db {
    pool: AnyPool,
    dialect: Dialect,
    limits: Limits,
    statements: Arc<AtomicU64>,
    /// Notified when the change feed may have new rows.
    news: Arc<Notify>,
    /// This instance's cache of the database. Each commit applies its own changes to it.
    memory: Arc<Memory>,
    /// The write permit. SQLite has one writer at a time, and the writers of this process queue here in order, without
    /// the sleeps of SQLite's own waiting. SQLite's `busy_timeout` remains for other processes.
    writer: Option<Arc<Semaphore>>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// The longest wait for the write permit (SQLite).
    pub(super) acquire: Duration,
    /// The longest duration of an operation, all its statements together.
    pub(super) operation: Duration,
}

impl Db {
    pub(super) fn new(pool: AnyPool, dialect: Dialect, limits: Limits) -> Self {
        let writer = match dialect {
            Dialect::Postgres => None,
            Dialect::Sqlite => Some(Arc::new(Semaphore::new(1))),
        };
        Self { pool, dialect, limits, statements: Arc::default(), news: Arc::default(), memory: Arc::default(), writer }
    }

    /// Returns the same database, with the same write permit, counter and cache, on another pool.
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

    pub(super) const fn memory(&self) -> &Arc<Memory> {
        &self.memory
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    pub(super) async fn read(&self, query: Query) -> Result<Vec<AnyRow>, StoreError> {
        self.work(None).await?.read(query).await
    }

    pub(super) async fn read_one(&self, query: Query) -> Result<Option<AnyRow>, StoreError> {
        Ok(self.read(query).await?.into_iter().next())
    }

    /// Runs a statement that writes, as a transaction of its own, and returns the number of rows written.
    pub(super) async fn write(&self, query: Query) -> Result<u64, StoreError> {
        self.work(self.turn().await?).await?.write(query).await
    }

    pub(super) async fn write_one(&self, query: Query) -> Result<Option<AnyRow>, StoreError> {
        self.work(self.turn().await?).await?.read_one(query).await
    }

    pub(super) async fn begin(&self) -> Result<Work, StoreError> {
        self.begin_within(self.limits).await
    }

    pub(super) async fn begin_within(&self, limits: Limits) -> Result<Work, StoreError> {
        let db = Self { limits, ..self.clone() };
        let mut work = db.work(db.turn().await?).await?;
        let begin = match self.dialect {
            Dialect::Postgres => "begin",
            // A deferred transaction that reads first cannot wait for the lock when it starts to write.
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
            memory: Arc::clone(&self.memory),
            changes: Vec::new(),
            _turn: turn,
        })
    }
}

/// A connection in use, with or without a transaction. If it is dropped before [`Work::commit`], the transaction is
/// undone.
pub(super) struct Work {
    connection: PoolConnection<Any>,
    state: State,
    started: Stopwatch,
    limit: Duration,
    statements: Arc<AtomicU64>,
    news: Arc<Notify>,
    memory: Arc<Memory>,
    changes: Vec<Change>,
    _turn: Option<OwnedSemaphorePermit>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Clean,
    InTransaction,
    /// A statement was sent, and its answer has not been received.
    Waiting,
}

impl Work {
    pub(super) async fn read(&mut self, query: Query) -> Result<Vec<AnyRow>, StoreError> {
        let (left, before) = self.send();
        let answer = timeout(left, query.fetch_all(&mut *self.connection)).await;
        self.receive(answer, before).map_err(failed)
    }

    pub(super) async fn read_one(&mut self, query: Query) -> Result<Option<AnyRow>, StoreError> {
        Ok(self.read(query).await?.into_iter().next())
    }

    pub(super) async fn write(&mut self, query: Query) -> Result<u64, StoreError> {
        self.run(query).await.map_err(failed)
    }

    /// Like [`Work::write`]; a unique key that is taken is a [`StoreError::Conflict`].
    pub(super) async fn write_unique(&mut self, query: Query) -> Result<u64, StoreError> {
        self.run(query).await.map_err(failed_unless_unique)
    }

    pub(super) async fn script(&mut self, text: &'static str) -> Result<(), StoreError> {
        let (left, before) = self.send();
        let answer = timeout(left, sqlx::raw_sql(text).execute(&mut *self.connection)).await;
        self.receive(answer, before).map(drop).map_err(failed)
    }

    /// Records a change that this transaction writes into the change feed. The commit applies it to this instance's
    /// cache and wakes the feed follower of this process.
    pub(super) fn collect(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Commits, and applies the changes to this instance's cache before it returns.
    ///
    /// There is no await between the two, so a cancelled request cannot do one without the other. A reader that read a
    /// row before the commit cannot cache it afterwards: applying a change invalidates every ticket taken before
    /// ([`Memory::ticket`]). A ticket taken later belongs to a row read after the commit.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        self.write(query("commit")).await?;
        self.state = State::Clean;
        let changes = std::mem::take(&mut self.changes);
        for change in &changes {
            self.memory.apply(change);
        }
        if !changes.is_empty() {
            self.news.notify_one();
        }
        Ok(())
    }

    /// Rolls back. Dropping has the same effect, but closes the connection.
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
    /// Closes the connection unless its state is known, also when the request was cancelled. Closing is the only way to
    /// end a statement or a transaction of unknown state. In the pool, the connection would wait for an answer that may
    /// never come.
    ///
    /// Changes that are left were not committed: they were rolled back, or the commit failed or its outcome is unknown.
    /// The cached rows that they concern are dropped. This is safe in each case, since the next reader reads the
    /// database. It is also useful after a rollback: a write that found nothing to do may have met a change of another
    /// instance that this one has not yet read in the feed. Changes that cannot be undone are not applied: a session
    /// that has not ended must not be refused, and the global `not_before` in the cache never falls. If an unknown
    /// commit has succeeded, or succeeds later, the change feed carries the change; the caller did not receive a
    /// success.
    fn drop(&mut self) {
        for change in &self.changes {
            self.memory.forget(change);
        }
        if self.state != State::Clean {
            self.connection.close_on_drop();
        }
    }
}
