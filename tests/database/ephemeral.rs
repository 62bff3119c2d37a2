//! What is particular to the embedded ephemeral store; the contract that it shares with Redis is `tests/store.rs`.

use std::time::Duration;

use tokenhouse::clock::Timestamp;
use tokenhouse::model::{Generation, RotationRecord, RotationState, SessionGrant, SessionId};
use tokenhouse::protocol::Scope;
use tokenhouse::store::sql::Dialect;
use tokenhouse::store::sql::ephemeral::SqlEphemeral;
use tokenhouse::store::{Database, EphemeralStore, StoreError, TakeOutcome};

use crate::test_database::{TestServer, millis, on_each_database};

const HOUR: Duration = Duration::from_hours(1);

fn ephemeral(server: &TestServer) -> SqlEphemeral {
    SqlEphemeral::new(&server.database, server.clock.clone())
}

fn record(server: &TestServer, lifetime: Duration) -> RotationRecord {
    let user = server.new_user("alice", None).id;
    let grant = SessionGrant {
        client_id: "app".parse().unwrap(),
        user_id: user,
        scope: Scope::parse("read write").unwrap(),
        audience: vec!["https://api.example".to_owned()],
        status_index: 3,
        began_at: server.now(),
        auth_time: server.now().seconds(),
        amr: vec!["pwd".to_owned()],
        roles: Vec::new(),
        groups: Vec::new(),
        claims: Vec::new(),
        confirmation: None,
    };
    RotationRecord::begin(grant, server.now(), lifetime, server.now().plus(HOUR * 24))
}

fn new_session(server: &TestServer) -> SessionId {
    SessionId(server.random.uuid_at(server.now()))
}

/// Makes time pass: by the clock, or by moving what PostgreSQL has in its tables.
async fn pass(server: &TestServer, hour: bool) {
    match server.database.dialect() {
        Dialect::Sqlite => server.clock.advance(if hour { HOUR } else { Duration::from_secs(118) }),
        Dialect::Postgres => {
            for sql in if hour {
                [
                    "update rotation_records set expires_at = expires_at - 3600000",
                    "update one_time_values set expires_at = expires_at - 3600000",
                    "update remembered_keys set expires_at = expires_at - 3600000",
                    "update counters set resets_at = resets_at - 3600000",
                ]
            } else {
                [
                    "update rotation_records set expires_at = expires_at - 118000",
                    "update one_time_values set expires_at = expires_at - 118000",
                    "update remembered_keys set expires_at = expires_at - 118000",
                    "update counters set resets_at = resets_at - 118000",
                ]
            } {
                server.sql(sql).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_refreshes_of_one_token_one_advances_it() {
    on_each_database(async |server| {
        let (ephemeral, session) = (ephemeral(server), new_session(server));
        let first = record(server, HOUR);
        assert!(ephemeral.insert(session, &first).await.unwrap());

        let refreshing: Vec<_> = (0..100)
            .map(|_| {
                let ephemeral = ephemeral.clone();
                tokio::spawn(async move { ephemeral.advance(session, Generation::default()).await.unwrap() })
            })
            .collect();
        let mut answers = Vec::new();
        for refreshing in refreshing {
            answers.push(refreshing.await.unwrap());
        }

        let winner = answers.iter().find(|answer| answer.advanced).unwrap();
        assert_eq!(winner.session, RotationState::Live(Box::new(first.advanced(winner.now))));
        assert_eq!(answers.iter().filter(|answer| answer.advanced).count(), 1);
        assert!(answers.iter().all(|answer| answer.session == winner.session));
    })
    .await;
}

#[tokio::test]
async fn a_chain_of_refreshes_advances_each_time() {
    on_each_database(async |server| {
        let (ephemeral, session) = (ephemeral(server), new_session(server));
        ephemeral.insert(session, &record(server, HOUR)).await.unwrap();
        for number in 0..20 {
            let answer = ephemeral.advance(session, Generation { number, branch: 0 }).await.unwrap();
            let RotationState::Live(record) = answer.session else { panic!("not live") };
            assert!(answer.advanced);
            assert_eq!(record.current.number, number + 1);
        }
    })
    .await;
}

#[tokio::test]
async fn a_record_outlives_its_token_by_two_minutes() {
    on_each_database(async |server| {
        let (ephemeral, session) = (ephemeral(server), new_session(server));
        let record = record(server, Duration::from_secs(1));
        ephemeral.insert(session, &record).await.unwrap();

        pass(server, false).await;
        assert!(matches!(ephemeral.load(session).await.unwrap().0, RotationState::Live(_)));
        assert!(!ephemeral.insert(session, &record).await.unwrap());
        pass(server, true).await;
        assert_eq!(ephemeral.load(session).await.unwrap().0, RotationState::Absent);
        assert_eq!(ephemeral.advance(session, Generation::default()).await.unwrap().session, RotationState::Absent);
        assert!(!ephemeral.replace(session, &record, &record).await.unwrap());
        assert!(ephemeral.insert(session, &self::record(server, HOUR)).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_tombstone_stays_for_its_time_whatever_is_written_after_it() {
    on_each_database(async |server| {
        let (ephemeral, session) = (ephemeral(server), new_session(server));
        let record = record(server, HOUR);
        ephemeral.insert(session, &record).await.unwrap();
        ephemeral.end(&[session, session], HOUR * 3 / 2).await.unwrap();
        ephemeral.end(&[session], Duration::ZERO).await.unwrap();

        pass(server, true).await;
        assert!(!ephemeral.insert(session, &record).await.unwrap());
        assert!(!ephemeral.replace(session, &record, &record).await.unwrap());
        let answer = ephemeral.advance(session, record.current).await.unwrap();
        assert_eq!((answer.session, answer.advanced), (RotationState::Ended, false));
        pass(server, true).await;
        assert_eq!(ephemeral.load(session).await.unwrap().0, RotationState::Absent);
    })
    .await;
}

#[tokio::test]
async fn many_sessions_end_in_one_call() {
    on_each_database(async |server| {
        let ephemeral = ephemeral(server);
        let sessions: Vec<_> = (0..450).map(|_| new_session(server)).collect();
        ephemeral.end(&sessions, HOUR).await.unwrap();
        ephemeral.end(&[], HOUR).await.unwrap();

        for session in [sessions[0], sessions[200], sessions[449]] {
            assert_eq!(ephemeral.load(session).await.unwrap().0, RotationState::Ended);
        }
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
async fn a_value_is_taken_first_by_one_of_many() {
    on_each_database(async |server| {
        let ephemeral = ephemeral(server);
        assert!(ephemeral.put_once("code", "value", HOUR).await.unwrap());
        assert!(!ephemeral.put_once("code", "other", HOUR).await.unwrap());
        let taking: Vec<_> = (0..20)
            .map(|_| {
                let ephemeral = ephemeral.clone();
                tokio::spawn(async move { ephemeral.take_once("code").await.unwrap() })
            })
            .collect();
        let mut first = 0;
        for taking in taking {
            match taking.await.unwrap() {
                TakeOutcome::First(value) => {
                    assert_eq!(value, "value");
                    first += 1;
                }
                TakeOutcome::Again(value) => assert_eq!(value, "value"),
                TakeOutcome::Absent => panic!("absent"),
            }
        }

        assert_eq!(first, 1);
        assert!(!ephemeral.put_once("code", "other", HOUR).await.unwrap(), "taken, but still known");
        pass(server, true).await;
        assert_eq!(ephemeral.take_once("code").await.unwrap(), TakeOutcome::Absent);
        assert!(ephemeral.put_once("code", "other", HOUR).await.unwrap());
        assert_eq!(ephemeral.take_once("code").await.unwrap(), TakeOutcome::First("other".to_owned()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_counted_twice_or_not_at_all() {
    on_each_database(async |server| {
        let ephemeral = ephemeral(server);
        let counting: Vec<_> = (0..40)
            .map(|_| {
                let ephemeral = ephemeral.clone();
                tokio::spawn(async move { ephemeral.count("key", HOUR / 2).await.unwrap() })
            })
            .collect();
        let mut counts = Vec::new();
        for counting in counting {
            let counted = counting.await.unwrap();
            assert!(counted.resets_in <= HOUR / 2 && counted.resets_in > HOUR / 3, "{counted:?}");
            counts.push(counted.count);
        }
        counts.sort_unstable();

        assert_eq!(counts, (1..=40).collect::<Vec<_>>());
        pass(server, true).await;
        assert_eq!(ephemeral.count("key", HOUR / 2).await.unwrap().count, 1);
        assert_eq!(ephemeral.count("key", HOUR / 2).await.unwrap().count, 2);
        ephemeral.forget("key").await.unwrap();
        assert_eq!(ephemeral.count("key", HOUR / 2).await.unwrap().count, 1);
        assert_eq!(ephemeral.count("other", HOUR / 2).await.unwrap().count, 1);
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
async fn a_key_is_new_until_it_is_remembered_and_after_its_time() {
    on_each_database(async |server| {
        let ephemeral = ephemeral(server);
        assert!(!ephemeral.remembers("jti").await.unwrap());
        assert!(ephemeral.remember("jti", HOUR / 2).await.unwrap());
        assert!(!ephemeral.remember("jti", HOUR * 9).await.unwrap());
        assert!(ephemeral.remembers("jti").await.unwrap());
        pass(server, true).await;
        assert!(!ephemeral.remembers("jti").await.unwrap());
        assert!(ephemeral.remember("jti", HOUR).await.unwrap());
        ephemeral.forget("jti").await.unwrap();
        assert!(!ephemeral.remembers("jti").await.unwrap());
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
        pass(server, true).await;
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

async fn rows(server: &TestServer, sql: &'static str) -> i64 {
    use sqlx::{Connection, Row};
    let mut connection = sqlx::AnyConnection::connect(&server.settings.url).await.unwrap();
    let row = sqlx::query(sql).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    row.get(0)
}
