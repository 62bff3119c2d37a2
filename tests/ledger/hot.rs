//! What is particular to the embedded hot state; the contract that it shares with Redis is `tests/store.rs`.

use std::time::Duration;

use tokenhouse::clock::Timestamp;
use tokenhouse::model::{Generation, HotSession, RotationRecord, SessionGrant, SessionId};
use tokenhouse::protocol::Scope;
use tokenhouse::store::ledger::Dialect;
use tokenhouse::store::ledger::hot::LedgerHot;
use tokenhouse::store::{HotState, Ledger, StoreError, Taken};

use crate::house::{House, millis, on_each_database};

const HOUR: Duration = Duration::from_hours(1);

fn hot(house: &House) -> LedgerHot {
    LedgerHot::new(&house.ledger, house.clock.clone())
}

fn record(house: &House, lifetime: Duration) -> RotationRecord {
    let user = house.new_user("alice", None).id;
    let grant = SessionGrant {
        client_id: "app".parse().unwrap(),
        user_id: user,
        scope: Scope::parse("read write").unwrap(),
        audience: vec!["https://api.example".to_owned()],
        status_index: 3,
        began_at: house.now(),
        auth_time: house.now().seconds(),
        amr: vec!["pwd".to_owned()],
        roles: Vec::new(),
        groups: Vec::new(),
        claims: Vec::new(),
    };
    RotationRecord::begin(grant, house.now(), lifetime, house.now().plus(HOUR * 24))
}

fn new_session(house: &House) -> SessionId {
    SessionId(house.random.uuid_at(house.now()))
}

/// Makes time pass: by the clock, or by moving what PostgreSQL has in its tables.
async fn pass(house: &House, hour: bool) {
    match house.ledger.dialect() {
        Dialect::Sqlite => house.clock.advance(if hour { HOUR } else { Duration::from_secs(118) }),
        Dialect::Postgres => {
            for sql in if hour {
                [
                    "update hot_sessions set expires_at = expires_at - 3600000",
                    "update hot_once set expires_at = expires_at - 3600000",
                    "update hot_memory set expires_at = expires_at - 3600000",
                    "update hot_counters set resets_at = resets_at - 3600000",
                ]
            } else {
                [
                    "update hot_sessions set expires_at = expires_at - 118000",
                    "update hot_once set expires_at = expires_at - 118000",
                    "update hot_memory set expires_at = expires_at - 118000",
                    "update hot_counters set resets_at = resets_at - 118000",
                ]
            } {
                house.sql(sql).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_refreshes_of_one_token_one_advances_it() {
    on_each_database(async |house| {
        let (hot, session) = (hot(house), new_session(house));
        let first = record(house, HOUR);
        assert!(hot.insert(session, &first).await.unwrap());

        let refreshing: Vec<_> = (0..100)
            .map(|_| {
                let hot = hot.clone();
                tokio::spawn(async move { hot.advance(session, Generation::default()).await.unwrap() })
            })
            .collect();
        let mut answers = Vec::new();
        for refreshing in refreshing {
            answers.push(refreshing.await.unwrap());
        }

        let winner = answers.iter().find(|answer| answer.advanced).unwrap();
        assert_eq!(winner.session, HotSession::Live(Box::new(first.advanced(winner.now))));
        assert_eq!(answers.iter().filter(|answer| answer.advanced).count(), 1);
        assert!(answers.iter().all(|answer| answer.session == winner.session));
    })
    .await;
}

#[tokio::test]
async fn a_chain_of_refreshes_advances_each_time() {
    on_each_database(async |house| {
        let (hot, session) = (hot(house), new_session(house));
        hot.insert(session, &record(house, HOUR)).await.unwrap();
        for number in 0..20 {
            let answer = hot.advance(session, Generation { number, branch: 0 }).await.unwrap();
            let HotSession::Live(record) = answer.session else { panic!("not live") };
            assert!(answer.advanced);
            assert_eq!(record.current.number, number + 1);
        }
    })
    .await;
}

#[tokio::test]
async fn a_record_outlives_its_token_by_two_minutes() {
    on_each_database(async |house| {
        let (hot, session) = (hot(house), new_session(house));
        let record = record(house, Duration::from_secs(1));
        hot.insert(session, &record).await.unwrap();

        pass(house, false).await;
        assert!(matches!(hot.load(session).await.unwrap().0, HotSession::Live(_)));
        assert!(!hot.insert(session, &record).await.unwrap());
        pass(house, true).await;
        assert_eq!(hot.load(session).await.unwrap().0, HotSession::Absent);
        assert_eq!(hot.advance(session, Generation::default()).await.unwrap().session, HotSession::Absent);
        assert!(!hot.replace(session, &record, &record).await.unwrap());
        assert!(hot.insert(session, &self::record(house, HOUR)).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_tombstone_stays_for_its_time_whatever_is_written_after_it() {
    on_each_database(async |house| {
        let (hot, session) = (hot(house), new_session(house));
        let record = record(house, HOUR);
        hot.insert(session, &record).await.unwrap();
        hot.end(&[session, session], HOUR * 3 / 2).await.unwrap();
        hot.end(&[session], Duration::ZERO).await.unwrap();

        pass(house, true).await;
        assert!(!hot.insert(session, &record).await.unwrap());
        assert!(!hot.replace(session, &record, &record).await.unwrap());
        let answer = hot.advance(session, record.current).await.unwrap();
        assert_eq!((answer.session, answer.advanced), (HotSession::Ended, false));
        pass(house, true).await;
        assert_eq!(hot.load(session).await.unwrap().0, HotSession::Absent);
    })
    .await;
}

#[tokio::test]
async fn many_sessions_end_in_one_call() {
    on_each_database(async |house| {
        let hot = hot(house);
        let sessions: Vec<_> = (0..450).map(|_| new_session(house)).collect();
        hot.end(&sessions, HOUR).await.unwrap();
        hot.end(&[], HOUR).await.unwrap();

        for session in [sessions[0], sessions[200], sessions[449]] {
            assert_eq!(hot.load(session).await.unwrap().0, HotSession::Ended);
        }
    })
    .await;
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_an_error_of_that_session_only() {
    on_each_database(async |house| {
        let (hot, broken, whole) = (hot(house), new_session(house), new_session(house));
        hot.insert(broken, &record(house, HOUR)).await.unwrap();
        house.sql("update hot_sessions set record = 'secret garbage'").await;
        hot.insert(whole, &record(house, HOUR)).await.unwrap();

        let error = hot.advance(broken, Generation::default()).await.unwrap_err();
        assert!(matches!(error, StoreError::Corrupt(_)));
        assert_eq!(error.to_string(), format!("hot_sessions {broken}: the column record cannot be read"));
        assert!(hot.advance(whole, Generation::default()).await.unwrap().advanced);
        hot.end(&[broken], HOUR).await.unwrap();
        assert_eq!(hot.load(broken).await.unwrap().0, HotSession::Ended);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_is_taken_first_by_one_of_many() {
    on_each_database(async |house| {
        let hot = hot(house);
        assert!(hot.put_once("code", "value", HOUR).await.unwrap());
        assert!(!hot.put_once("code", "other", HOUR).await.unwrap());
        let taking: Vec<_> = (0..20)
            .map(|_| {
                let hot = hot.clone();
                tokio::spawn(async move { hot.take_once("code").await.unwrap() })
            })
            .collect();
        let mut first = 0;
        for taking in taking {
            match taking.await.unwrap() {
                Taken::First(value) => {
                    assert_eq!(value, "value");
                    first += 1;
                }
                Taken::Again(value) => assert_eq!(value, "value"),
                Taken::Absent => panic!("absent"),
            }
        }

        assert_eq!(first, 1);
        assert!(!hot.put_once("code", "other", HOUR).await.unwrap(), "taken, but still known");
        pass(house, true).await;
        assert_eq!(hot.take_once("code").await.unwrap(), Taken::Absent);
        assert!(hot.put_once("code", "other", HOUR).await.unwrap());
        assert_eq!(hot.take_once("code").await.unwrap(), Taken::First("other".to_owned()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_counted_twice_or_not_at_all() {
    on_each_database(async |house| {
        let hot = hot(house);
        let counting: Vec<_> = (0..40)
            .map(|_| {
                let hot = hot.clone();
                tokio::spawn(async move { hot.count("key", HOUR / 2).await.unwrap() })
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
        pass(house, true).await;
        assert_eq!(hot.count("key", HOUR / 2).await.unwrap().count, 1);
        assert_eq!(hot.count("key", HOUR / 2).await.unwrap().count, 2);
        hot.forget("key").await.unwrap();
        assert_eq!(hot.count("key", HOUR / 2).await.unwrap().count, 1);
        assert_eq!(hot.count("other", HOUR / 2).await.unwrap().count, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_instances_share_the_tables() {
    on_each_database(async |house| {
        let session = new_session(house);
        hot(house).insert(session, &record(house, HOUR)).await.unwrap();
        let mut working = Vec::new();
        for _ in 0..4 {
            let instance = Ledger::connect(&house.settings).await.unwrap();
            let hot = LedgerHot::new(&instance, house.clock.clone());
            working.push(tokio::spawn(async move {
                let mut advanced = 0;
                for number in 0..40 {
                    hot.count("key", HOUR).await.unwrap();
                    instance.lease_status_indexes(1).await.unwrap();
                    let answer = hot.advance(session, Generation { number, branch: 0 }).await.unwrap();
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

        let (HotSession::Live(record), _) = hot(house).load(session).await.unwrap() else { panic!("not live") };
        assert_eq!(record.current.number, u64::from(advanced));
        assert_eq!(hot(house).count("key", HOUR).await.unwrap().count, 161);
        assert_eq!(house.ledger.lease_status_indexes(1).await.unwrap(), 160..161);
    })
    .await;
}

#[tokio::test]
async fn a_key_is_new_until_it_is_remembered_and_after_its_time() {
    on_each_database(async |house| {
        let hot = hot(house);
        assert!(!hot.remembers("jti").await.unwrap());
        assert!(hot.remember("jti", HOUR / 2).await.unwrap());
        assert!(!hot.remember("jti", HOUR * 9).await.unwrap());
        assert!(hot.remembers("jti").await.unwrap());
        pass(house, true).await;
        assert!(!hot.remembers("jti").await.unwrap());
        assert!(hot.remember("jti", HOUR).await.unwrap());
        hot.forget("jti").await.unwrap();
        assert!(!hot.remembers("jti").await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn pruning_removes_what_is_over_and_nothing_else() {
    on_each_database(async |house| {
        let hot = hot(house);
        let (live, over, ended) = (new_session(house), new_session(house), new_session(house));
        hot.insert(live, &record(house, HOUR * 5)).await.unwrap();
        hot.insert(over, &record(house, Duration::from_secs(1))).await.unwrap();
        hot.end(&[ended], HOUR * 5).await.unwrap();
        let many: Vec<_> = (0..1500).map(|_| new_session(house)).collect();
        hot.end(&many, HOUR / 2).await.unwrap();
        for (key, keep) in [("long", HOUR * 5), ("short", HOUR / 2)] {
            hot.put_once(key, "value", keep).await.unwrap();
            hot.remember(key, keep).await.unwrap();
            hot.count(key, keep).await.unwrap();
        }
        pass(house, true).await;
        hot.prune().await.unwrap();

        assert_eq!(rows(house, "select count(*) from hot_sessions").await, 2);
        assert_eq!(rows(house, "select count(*) from hot_once").await, 1);
        assert_eq!(rows(house, "select count(*) from hot_memory").await, 1);
        assert_eq!(rows(house, "select count(*) from hot_counters").await, 1);
        assert!(matches!(hot.load(live).await.unwrap().0, HotSession::Live(_)));
        assert_eq!(hot.load(ended).await.unwrap().0, HotSession::Ended);
        assert!(!hot.needs_replay().await.unwrap());
        hot.ping().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_time_is_the_clocks_on_sqlite_and_the_servers_on_postgresql() {
    on_each_database(async |house| {
        let before = house.now();
        let (_, now) = hot(house).load(new_session(house)).await.unwrap();
        assert!(now.since(before) < Duration::from_mins(1) && before.since(now) < Duration::from_mins(1));

        house.clock.advance(HOUR);
        let (_, later) = hot(house).load(new_session(house)).await.unwrap();
        let moved: Timestamp = now.plus(HOUR);
        match house.ledger.dialect() {
            Dialect::Sqlite => assert!(later >= moved),
            Dialect::Postgres => assert!(later < moved && later >= now.minus(millis(1))),
        }
    })
    .await;
}

async fn rows(house: &House, sql: &'static str) -> i64 {
    use sqlx::{Connection, Row};
    let mut connection = sqlx::AnyConnection::connect(&house.settings.url).await.unwrap();
    let row = sqlx::query(sql).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    row.get(0)
}
