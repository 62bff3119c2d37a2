use std::time::Duration;

use sqlx::{AnyConnection, Connection};
use tokenhouse::clock::Stopwatch;
use tokenhouse::model::{EndReason, Generation, SessionFilter, SessionId};
use tokenhouse::store::sql::clients::ClientTokens;
use tokenhouse::store::sql::ephemeral::SqlEphemeral;
use tokenhouse::store::sql::{DatabaseSettings, Dialect};
use tokenhouse::store::{Database, EphemeralStore, StoreError};

use crate::test_database::{TestDatabase, millis, on_each_database};

/// The database as an impatient instance would open it.
async fn impatient(server: &TestDatabase, connections: u32) -> Database {
    let settings = DatabaseSettings {
        max_connections: connections,
        acquire_timeout: millis(500),
        statement_timeout: millis(300),
        ..server.settings.clone()
    };
    Database::connect(&settings).await.unwrap()
}

/// Somebody else holds what every change needs.
async fn blocked(server: &TestDatabase) -> AnyConnection {
    let mut blocker = AnyConnection::connect(&server.settings.url).await.unwrap();
    let block = match server.database.dialect() {
        Dialect::Postgres => "begin; lock table users, feed_head, rotation_records, counters",
        Dialect::Sqlite => "begin immediate",
    };
    sqlx::raw_sql(block).execute(&mut blocker).await.unwrap();
    blocker
}

fn is_away<T>(answer: &Result<T, StoreError>) -> bool {
    matches!(answer, Err(StoreError::Unavailable { .. }))
}

#[tokio::test]
async fn a_locked_database_is_away_in_time_and_back_afterwards() {
    on_each_database(async |server| {
        let (user, client) = (server.user("alice").await.id, server.client("app").await.id);
        let seen = server.seen(user).await;
        let database = impatient(server, 2).await;
        let ephemeral = SqlEphemeral::new(&database, server.clock.clone());
        let mut blocker = blocked(server).await;

        let watch = Stopwatch::start();
        let session = server.new_session(user, &client);
        assert!(is_away(&database.begin_session(&session, &seen, &server.any_entry()).await));
        assert!(is_away(&database.raise_global_not_before(server.now(), server.now(), ClientTokens::Revoked).await));
        assert!(is_away(&ephemeral.count("key", millis(9_000)).await));
        assert!(is_away(&ephemeral.end(&[session.id], millis(9_000)).await));
        assert!(watch.elapsed() < Duration::from_secs(6), "{:?}", watch.elapsed());

        sqlx::raw_sql("rollback").execute(&mut blocker).await.unwrap();
        blocker.close().await.unwrap();
        assert_eq!(database.session(session.id).await.unwrap(), None);
        database
            .raise_global_not_before(
                server.now().minus(millis(60_000)),
                server.now().minus(millis(60_000)),
                ClientTokens::Revoked,
            )
            .await
            .unwrap();
        assert_eq!(ephemeral.count("key", millis(9_000)).await.unwrap().count, 1);
        database.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_at_a_locked_database_is_answered_in_time() {
    on_each_database(async |server| {
        let database = impatient(server, 2).await;
        let mut blocker = blocked(server).await;
        let watch = Stopwatch::start();
        let waiting: Vec<_> = (0..50)
            .map(|_| {
                let (database, at) = (database.clone(), server.now());
                tokio::spawn(async move { database.raise_global_not_before(at, at, ClientTokens::Revoked).await })
            })
            .collect();
        for waiting in waiting {
            assert!(is_away(&waiting.await.unwrap()));
        }
        assert!(watch.elapsed() < Duration::from_secs(4), "{:?}", watch.elapsed());

        sqlx::raw_sql("rollback").execute(&mut blocker).await.unwrap();
        blocker.close().await.unwrap();
        let mut tries = 0;
        while database.raise_global_not_before(server.now(), server.now(), ClientTokens::Revoked).await.is_err() {
            tries += 1;
            assert!(tries < 20, "it never came back");
        }
        database.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_cancelled_leaves_nothing_locked_and_nothing_half_done() {
    on_each_database(async |server| {
        let (user, client) = (server.user("alice").await.id, server.client("app").await.id);
        for n in 0..60 {
            let session = server.new_session(user, &client);
            let (database, seen, entry) = (server.database.clone(), server.seen(user).await, server.any_entry());
            let beginning = tokio::spawn(async move { database.begin_session(&session, &seen, &entry).await });
            tokio::time::sleep(Duration::from_micros(n * 100)).await;
            beginning.abort();
            let _ = beginning.await;
        }
        server.session(user, &client).await;

        let ended = server.ended(EndReason::Admin);
        let sessions = server
            .database
            .end_sessions(&SessionFilter::default(), ended, 500, |_| server.any_entry())
            .await
            .unwrap()
            .sessions;
        let head = server.database.feed_head().await.unwrap();
        assert_eq!(head, 2 + i64::try_from(sessions.len()).unwrap());
    })
    .await;
}

#[tokio::test]
async fn rows_that_cannot_be_read_are_named_and_not_shown() {
    on_each_database(async |server| {
        let (user, client) = (server.user("alice").await, server.client("app").await);
        let session = server.session(user.id, &client.id).await;
        server.sql("update users set roles = 'secret'").await;
        server.sql("update clients set kind = 'secret'").await;
        server.sql("update sessions set ended_reason = 'secret'").await;
        server.sql("update audit set actor = 'secret'").await;

        let errors = [
            (server.database.user(user.id).await.unwrap_err(), format!("users {}: the column roles", user.id)),
            (server.database.client(&client.id).await.unwrap_err(), "clients app: the column kind".to_owned()),
            (
                server.database.session(session.id).await.unwrap_err(),
                format!("sessions {}: the column ended_reason", session.id),
            ),
            (
                server.database.list_audit(&tokenhouse::model::PageRequest::new(None, None)).await.unwrap_err(),
                "the column actor".to_owned(),
            ),
        ];
        for (error, expected) in errors {
            assert!(matches!(error, StoreError::Corrupt(_)), "{error:?}");
            assert!(error.to_string().contains(&expected), "{error}");
            assert!(!format!("{error:?}").contains("secret"));
        }
    })
    .await;
}

#[tokio::test]
async fn a_database_without_its_tables_is_broken_and_a_closed_one_is_away() {
    on_each_database(async |server| {
        server.sql("drop table sessions").await;
        let id = SessionId(server.random.uuid());
        assert!(matches!(server.database.session(id).await, Err(StoreError::Broken { .. })));

        let database = impatient(server, 1).await;
        let ephemeral = SqlEphemeral::new(&database, server.clock.clone());
        database.close().await;
        assert!(is_away(&database.ping().await));
        assert!(is_away(&ephemeral.ping().await));
        assert!(is_away(&ephemeral.advance(id, Generation::default()).await));
    })
    .await;
}

/// With a foreign hand on the database, every connection of the pool is lost at once.
#[tokio::test]
async fn lost_connections_are_replaced() {
    on_each_database(async |server| {
        if server.database.dialect() == Dialect::Sqlite {
            return;
        }
        server.user("alice").await;
        server
            .sql(
                "select pg_terminate_backend(pid) from pg_stat_activity
                 where datname = current_database() and pid <> pg_backend_pid()",
            )
            .await;

        server.database.ping().await.unwrap();
        server.user("bob").await;
    })
    .await;
}
