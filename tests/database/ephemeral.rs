//! The embedded ephemeral store, where it is a matter of its tables; the contract that it shares with Redis is
//! `tests/store.rs`.

use std::time::Duration;

use test_support::records;
use tokenhouse::clock::Timestamp;
use tokenhouse::model::{Generation, RotationRecord, RotationState, SessionId};
use tokenhouse::store::sql::Dialect;
use tokenhouse::store::sql::ephemeral::SqlEphemeral;
use tokenhouse::store::{Database, EphemeralStore, StoreError};

use crate::test_database::{TestDatabase, millis, on_each_database};

const HOUR: Duration = Duration::from_hours(1);

fn ephemeral(server: &TestDatabase) -> SqlEphemeral {
    SqlEphemeral::new(&server.database, server.clock.clone())
}

fn record(server: &TestDatabase, lifetime: Duration) -> RotationRecord {
    RotationRecord::begin(records::grant(server.now()), server.now(), lifetime, server.now().plus(HOUR * 24))
}

fn new_session(server: &TestDatabase) -> SessionId {
    SessionId(server.random.uuid_at(server.now()))
}

/// Lets an hour pass: by the clock, or by moving what PostgreSQL has in its tables.
async fn pass_an_hour(server: &TestDatabase) {
    match server.database.dialect() {
        Dialect::Sqlite => server.clock.advance(HOUR),
        Dialect::Postgres => {
            for sql in [
                "update rotation_records set expires_at = expires_at - 3600000",
                "update one_time_values set expires_at = expires_at - 3600000",
                "update remembered_keys set expires_at = expires_at - 3600000",
                "update counters set resets_at = resets_at - 3600000",
            ] {
                server.sql(sql).await;
            }
        }
    }
}

#[tokio::test]
async fn a_second_end_does_not_shorten_the_life_of_a_tombstone() {
    on_each_database(async |server| {
        let (ephemeral, session) = (ephemeral(server), new_session(server));
        ephemeral.insert(session, &record(server, HOUR)).await.unwrap();
        ephemeral.end(&[session, session], HOUR * 3 / 2).await.unwrap();
        ephemeral.end(&[session], Duration::ZERO).await.unwrap();

        pass_an_hour(server).await;
        assert_eq!(ephemeral.load(session).await.unwrap().0, RotationState::Ended);
        pass_an_hour(server).await;
        assert_eq!(ephemeral.load(session).await.unwrap().0, RotationState::Absent);
    })
    .await;
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_an_error_of_that_session_only() {
    on_each_database(async |server| {
        let (ephemeral, broken, whole) = (ephemeral(server), new_session(server), new_session(server));
        ephemeral.insert(broken, &record(server, HOUR)).await.unwrap();
        server.sql("update rotation_records set record = 'secret garbage'").await;
        ephemeral.insert(whole, &record(server, HOUR)).await.unwrap();

        let error = ephemeral.advance(broken, Generation::default()).await.unwrap_err();
        assert!(matches!(error, StoreError::Corrupt(_)));
        assert_eq!(error.to_string(), format!("rotation_records {broken}: the column record cannot be read"));
        assert!(ephemeral.advance(whole, Generation::default()).await.unwrap().advanced);
        ephemeral.end(&[broken], HOUR).await.unwrap();
        assert_eq!(ephemeral.load(broken).await.unwrap().0, RotationState::Ended);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_instances_share_the_tables() {
    on_each_database(async |server| {
        let session = new_session(server);
        ephemeral(server).insert(session, &record(server, HOUR)).await.unwrap();
        let mut working = Vec::new();
        for _ in 0..4 {
            let instance = Database::connect(&server.settings).await.unwrap();
            let ephemeral = SqlEphemeral::new(&instance, server.clock.clone());
            working.push(tokio::spawn(async move {
                let mut advanced = 0;
                for number in 0..40 {
                    ephemeral.count("key", HOUR).await.unwrap();
                    instance.lease_status_indexes(1).await.unwrap();
                    let answer = ephemeral.advance(session, Generation { number, branch: 0 }).await.unwrap();
                    advanced += u32::from(answer.advanced);
                }
                instance.close().await;
                advanced
            }));
        }
        let mut advanced = 0;
        for working in working {
            advanced += working.await.unwrap();
        }

        let (RotationState::Live(record), _) = ephemeral(server).load(session).await.unwrap() else {
            panic!("not live")
        };
        assert_eq!(record.current.number, u64::from(advanced));
        assert_eq!(ephemeral(server).count("key", HOUR).await.unwrap().count, 161);
        assert_eq!(server.database.lease_status_indexes(1).await.unwrap(), 160..161);
    })
    .await;
}

#[tokio::test]
async fn pruning_removes_what_is_over_and_nothing_else() {
    on_each_database(async |server| {
        let ephemeral = ephemeral(server);
        let (live, over, ended) = (new_session(server), new_session(server), new_session(server));
        ephemeral.insert(live, &record(server, HOUR * 5)).await.unwrap();
        ephemeral.insert(over, &record(server, Duration::from_secs(1))).await.unwrap();
        ephemeral.end(&[ended], HOUR * 5).await.unwrap();
        let many: Vec<_> = (0..1500).map(|_| new_session(server)).collect();
        ephemeral.end(&many, HOUR / 2).await.unwrap();
        for (key, keep) in [("long", HOUR * 5), ("short", HOUR / 2)] {
            ephemeral.put_once(key, "value", keep).await.unwrap();
            ephemeral.remember(key, keep).await.unwrap();
            ephemeral.count(key, keep).await.unwrap();
        }
        pass_an_hour(server).await;
        ephemeral.prune().await.unwrap();

        assert_eq!(rows(server, "select count(*) from rotation_records").await, 2);
        assert_eq!(rows(server, "select count(*) from one_time_values").await, 1);
        assert_eq!(rows(server, "select count(*) from remembered_keys").await, 1);
        assert_eq!(rows(server, "select count(*) from counters").await, 1);
        assert!(matches!(ephemeral.load(live).await.unwrap().0, RotationState::Live(_)));
        assert_eq!(ephemeral.load(ended).await.unwrap().0, RotationState::Ended);
        assert!(!ephemeral.needs_replay().await.unwrap());
        ephemeral.ping().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_time_is_the_clocks_on_sqlite_and_the_servers_on_postgresql() {
    on_each_database(async |server| {
        let before = server.now();
        let (_, now) = ephemeral(server).load(new_session(server)).await.unwrap();
        assert!(now.since(before) < Duration::from_mins(1) && before.since(now) < Duration::from_mins(1));

        server.clock.advance(HOUR);
        let (_, later) = ephemeral(server).load(new_session(server)).await.unwrap();
        let moved: Timestamp = now.plus(HOUR);
        match server.database.dialect() {
            Dialect::Sqlite => assert!(later >= moved),
            Dialect::Postgres => assert!(later < moved && later >= now.minus(millis(1))),
        }
    })
    .await;
}

async fn rows(server: &TestDatabase, sql: &'static str) -> i64 {
    use sqlx::{Connection, Row};
    let mut connection = sqlx::AnyConnection::connect(&server.settings.url).await.unwrap();
    let row = sqlx::query(sql).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    row.get(0)
}
