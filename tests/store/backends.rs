//! Where the rules are run. Each test has a position of its own: a database file, a database, or a key prefix.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use tokenhouse::clock::{Clock, Timestamp};
use tokenhouse::model::SessionId;
use tokenhouse::store::EphemeralStore;
use tokenhouse::store::sql::ephemeral::SqlEphemeral;

use crate::support::postgres::PostgresDatabase;
use crate::support::records;
use crate::support::redis;
use crate::support::sqlite::SqliteDatabase;

/// One backend, for one test.
pub(super) struct Position {
    ephemeral: Arc<dyn EphemeralStore>,
    /// The clock of a store that has none of its own.
    clock: Option<Clock>,
    database: Holds,
}

enum Holds {
    Nothing,
    Sqlite(SqliteDatabase),
    Postgres(PostgresDatabase),
}

impl Position {
    pub(super) async fn sqlite() -> Self {
        let position = SqliteDatabase::fresh().await;
        let clock = Clock::system();
        let ephemeral = Arc::new(SqlEphemeral::new(&position.database, clock.clone()));
        Self { ephemeral, clock: Some(clock), database: Holds::Sqlite(position) }.ready().await
    }

    pub(super) async fn postgres() -> Self {
        let position = PostgresDatabase::fresh().await;
        let ephemeral = Arc::new(SqlEphemeral::new(&position.database, Clock::system()));
        Self { ephemeral, clock: None, database: Holds::Postgres(position) }.ready().await
    }

    pub(super) async fn redis() -> Self {
        let ephemeral = Arc::new(redis::open(redis::settings()).await);
        Self { ephemeral, clock: None, database: Holds::Nothing }
    }

    async fn ready(self) -> Self {
        if self.ephemeral.needs_replay().await.unwrap() {
            self.ephemeral.replayed().await;
        }
        self
    }

    /// A second hand on the store, for what runs at the same time.
    pub(super) fn ephemeral(&self) -> Arc<dyn EphemeralStore> {
        Arc::clone(&self.ephemeral)
    }

    /// The store's own time.
    pub(super) async fn now(&self) -> Timestamp {
        self.ephemeral.load(records::session()).await.unwrap().1
    }

    /// Lets time pass for the store.
    pub(super) async fn pass(&self, time: Duration) {
        match &self.clock {
            Some(clock) => clock.advance(time),
            None => tokio::time::sleep(time).await, // its clock is not in our hands
        }
    }

    /// A session whose first record was just inserted.
    pub(super) async fn begun(&self) -> (SessionId, tokenhouse::model::RotationRecord) {
        let session = records::session();
        let record = records::record(self.now().await);
        assert!(self.ephemeral.insert(session, &record).await.unwrap());
        (session, record)
    }

    pub(super) async fn leave(self) {
        match self.database {
            Holds::Nothing => {}
            Holds::Sqlite(position) => position.database.close().await,
            Holds::Postgres(position) => position.drop().await,
        }
    }
}

impl Deref for Position {
    type Target = dyn EphemeralStore;

    fn deref(&self) -> &Self::Target {
        &*self.ephemeral
    }
}

/// Makes each rule a test on every backend.
macro_rules! every_backend {
    ($($rule:ident)*) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                let position = crate::store::backends::Position::sqlite().await;
                super::$rule(&position).await;
                position.leave().await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                if crate::support::only_sqlite() { return; }
                let position = crate::store::backends::Position::postgres().await;
                super::$rule(&position).await;
                position.leave().await;
            })*
        }
        mod on_redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                if crate::support::only_sqlite() { return; }
                let position = crate::store::backends::Position::redis().await;
                super::$rule(&position).await;
                position.leave().await;
            })*
        }
    };
}
pub(super) use every_backend;
