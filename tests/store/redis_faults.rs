//! What a Redis server may do to us, and what must still hold.

#![allow(clippy::disallowed_methods, reason = "these tests measure how long a fault keeps a caller")]

use std::time::{Duration, Instant};

use redis::cmd;
use tokenhouse::model::RotationState;
use tokenhouse::store::redis::{RedisEphemeral, RedisSettings};
use tokenhouse::store::{EphemeralStore, StoreError};

use crate::support::private_redis::PrivateRedis;
use crate::support::records::{record, session};
use crate::support::{only_sqlite, redis as shared};

const MINUTE: Duration = Duration::from_mins(1);

/// A private server, unless this run is for `SQLite` alone.
fn server(arguments: &[&str]) -> Option<PrivateRedis> {
    if only_sqlite() { None } else { PrivateRedis::start(arguments) }
}

/// As strict as in production.
pub(super) fn strict(url: &str) -> RedisSettings {
    RedisSettings {
        connect_timeout: Duration::from_millis(250),
        command_timeout: Duration::from_millis(100),
        ..shared::settings_for(url)
    }
}

pub(super) fn is_unavailable<T>(answer: &Result<T, StoreError>) -> bool {
    matches!(answer, Err(StoreError::Unavailable { store: "ephemeral store", .. }))
}

/// Comes by like the watcher, until the store is up to date again.
pub(super) async fn watch(ephemeral: &RedisEphemeral) {
    for _ in 0..100 {
        match ephemeral.needs_replay().await {
            Ok(true) => ephemeral.replayed().await,
            Ok(false) => return,
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    panic!("the store did not come back");
}

/// Whether each operation answers `Unavailable`, and how long the slowest took.
async fn all_unavailable(ephemeral: &RedisEphemeral) -> (bool, Duration) {
    let session = session();
    let record = record(tokenhouse::clock::Timestamp::from_seconds(1_800_000_000));
    let mut slowest = Duration::ZERO;
    let mut all = true;
    macro_rules! ask {
        ($($call:expr,)*) => {$(
            let asked = Instant::now();
            all &= is_unavailable(&$call.await);
            slowest = slowest.max(asked.elapsed());
        )*};
    }
    ask![
        ephemeral.advance(session, record.current),
        ephemeral.load(session),
        ephemeral.insert(session, &record),
        ephemeral.replace(session, &record, &record),
        ephemeral.end(&[session], MINUTE),
        ephemeral.put_once("key", "value", MINUTE),
        ephemeral.take_once("key"),
        ephemeral.update_once("key", "old", "new"),
        ephemeral.remember("key", MINUTE),
        ephemeral.remembers("key"),
        ephemeral.count("key", MINUTE),
        ephemeral.forget("key"),
        ephemeral.ping(),
        ephemeral.needs_replay(),
    ];
    (all, slowest)
}

#[tokio::test]
async fn a_silent_server_costs_each_call_the_timeout_and_soon_nothing() {
    let Some(server) = server(&[]) else { return };
    let ephemeral = shared::open(strict(&server.url())).await;
    let session = session();
    let record = record(ephemeral.load(session).await.unwrap().1);
    ephemeral.insert(session, &record).await.unwrap();

    server.freeze();
    let (all, slowest) = all_unavailable(&ephemeral).await;
    assert!(all);
    assert!(slowest < Duration::from_millis(600), "{slowest:?}: 250 ms to connect and 100 ms to ask, and some slack");

    // The breaker is open: of many calls, all but the trials answer at once.
    let mut times = Vec::new();
    for _ in 0..300 {
        let asked = Instant::now();
        assert!(is_unavailable(&ephemeral.count("key", MINUTE).await));
        times.push(asked.elapsed());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    times.sort_unstable();
    assert!(times[285] < Duration::from_millis(20), "95 % at once: {:?}", times[285]);
    assert!(times[299] < Duration::from_millis(600), "{:?}", times[299]);

    server.thaw();
    watch(&ephemeral).await;
    assert!(ephemeral.advance(session, record.current).await.unwrap().advanced);
    let (live, _) = ephemeral.load(session).await.unwrap();
    assert!(matches!(live, RotationState::Live(live) if live.current.number == 1), "nothing was sent twice");
}

#[tokio::test]
async fn calls_in_parallel_wait_no_longer_than_one() {
    let Some(server) = server(&[]) else { return };
    let ephemeral = std::sync::Arc::new(shared::open(strict(&server.url())).await);
    server.freeze();
    tokio::time::sleep(Duration::from_millis(50)).await;

    let asked = Instant::now();
    for _ in 0..5 {
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..200 {
            let ephemeral = std::sync::Arc::clone(&ephemeral);
            calls.spawn(async move { is_unavailable(&ephemeral.count("key", MINUTE).await) });
        }
        assert!(calls.join_all().await.into_iter().all(|unavailable| unavailable));
    }

    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
}

#[tokio::test]
async fn one_slow_answer_does_not_close_the_gate() {
    let Some(server) = server(&[]) else { return };
    let ephemeral = shared::open(strict(&server.url())).await;
    let session = session();

    server.freeze();
    assert!(is_unavailable(&ephemeral.load(session).await));
    server.thaw();

    assert_eq!(ephemeral.load(session).await.unwrap().0, RotationState::Absent);
    assert!(!ephemeral.needs_replay().await.unwrap());
}

#[tokio::test]
async fn a_server_that_is_away_at_the_start_is_found_later() {
    if only_sqlite() {
        return;
    }
    let Some(mut server) = PrivateRedis::prepare(&[]) else { return };
    let ephemeral = RedisEphemeral::connect(strict(&server.url())).await.unwrap();
    let (all, slowest) = all_unavailable(&ephemeral).await;
    assert!(all);
    assert!(slowest < Duration::from_millis(600), "{slowest:?}");

    server.launch();
    watch(&ephemeral).await;

    assert_eq!(ephemeral.load(session()).await.unwrap().0, RotationState::Absent);
    ephemeral.ping().await.unwrap();
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_unavailable_by_a_tls_url() {
    let Some(server) = server(&[]) else { return };
    let ephemeral = RedisEphemeral::connect(strict(&server.url().replace("redis:", "rediss:"))).await.unwrap();

    assert!(is_unavailable(&ephemeral.needs_replay().await));
    assert!(is_unavailable(&ephemeral.count("key", MINUTE).await));
}

#[tokio::test]
async fn flushed_scripts_are_sent_again() {
    let Some(server) = server(&[]) else { return };
    let ephemeral = shared::open(strict(&server.url())).await;
    let mut raw = shared::raw(&server.url()).await;
    let session = session();
    let mut expected = record(ephemeral.load(session).await.unwrap().1);
    ephemeral.insert(session, &expected).await.unwrap();

    for round in 1..=10 {
        let (): () = cmd("SCRIPT").arg("FLUSH").query_async(&mut raw).await.unwrap();
        let answer = ephemeral.advance(session, expected.current).await.unwrap();
        assert!(answer.advanced);
        expected = expected.advanced(answer.now);
        let (): () = cmd("SCRIPT").arg("FLUSH").query_async(&mut raw).await.unwrap();
        assert_eq!(ephemeral.count("key", MINUTE).await.unwrap().count, round);
    }
    assert_eq!(ephemeral.load(session).await.unwrap().0, RotationState::Live(Box::new(expected)));
}

#[tokio::test]
async fn a_server_without_memory_consumes_nothing() {
    let Some(server) = server(&["--maxmemory-policy", "noeviction"]) else { return };
    let ephemeral = shared::open(strict(&server.url())).await;
    let mut raw = shared::raw(&server.url()).await;
    let (session, other) = (session(), session());
    let record = record(ephemeral.load(session).await.unwrap().1);
    ephemeral.insert(session, &record).await.unwrap();
    ephemeral.put_once("key", "value", MINUTE).await.unwrap();

    let (): () = cmd("CONFIG").arg("SET").arg("maxmemory").arg("1").query_async(&mut raw).await.unwrap();
    for _ in 0..10 {
        assert!(is_unavailable(&ephemeral.advance(session, record.current).await));
        assert!(is_unavailable(&ephemeral.insert(other, &record).await));
        assert!(is_unavailable(&ephemeral.replace(session, &record, &record.advanced(record.issued_at)).await));
        assert!(is_unavailable(&ephemeral.end(&[session, other], MINUTE).await));
        assert!(is_unavailable(&ephemeral.put_once("other", "value", MINUTE).await));
        assert!(is_unavailable(&ephemeral.update_once("key", "value", "another").await));
        assert!(is_unavailable(&ephemeral.take_once("key").await));
        assert!(is_unavailable(&ephemeral.count("key", MINUTE).await));
        assert!(is_unavailable(&ephemeral.remember("key", MINUTE).await));
    }
    let (): () = cmd("CONFIG").arg("SET").arg("maxmemory").arg("0").query_async(&mut raw).await.unwrap();

    assert_eq!(ephemeral.load(session).await.unwrap().0, RotationState::Live(Box::new(record.clone())));
    assert!(ephemeral.advance(session, record.current).await.unwrap().advanced);
    assert!(matches!(ephemeral.take_once("key").await.unwrap(), tokenhouse::store::TakeOutcome::First(_)));
}

#[tokio::test]
async fn a_replica_is_not_written_to_and_not_trusted() {
    let Some(server) = server(&[]) else { return };
    let ephemeral = shared::open(strict(&server.url())).await;
    let mut raw = shared::raw(&server.url()).await;
    let session = session();
    let record = record(ephemeral.load(session).await.unwrap().1);
    ephemeral.insert(session, &record).await.unwrap();

    let (): () = cmd("REPLICAOF").arg("127.0.0.1").arg("1").query_async(&mut raw).await.unwrap();
    assert!(is_unavailable(&ephemeral.advance(session, record.current).await));
    assert!(is_unavailable(&ephemeral.count("key", MINUTE).await));
    assert!(is_unavailable(&ephemeral.end(&[session], MINUTE).await));
    assert!(is_unavailable(&ephemeral.needs_replay().await));
    assert!(is_unavailable(&ephemeral.load(session).await));
    assert!(is_unavailable(&ephemeral.ping().await));

    let (): () = cmd("REPLICAOF").arg("NO").arg("ONE").query_async(&mut raw).await.unwrap();
    assert!(is_unavailable(&ephemeral.load(session).await), "promoted: ends may be missing");
    watch(&ephemeral).await;
    assert!(ephemeral.advance(session, record.current).await.unwrap().advanced);
}

#[tokio::test]
async fn the_password_is_never_shown() {
    let Some(server) = server(&["--requirepass", "right-sesame"]) else { return };
    let mut shown = Vec::new();

    let settings = strict(&server.url_with("wrong-sesame"));
    shown.push(format!("{settings:?}"));
    let ephemeral = RedisEphemeral::connect(settings).await.unwrap();
    shown.push(format!("{ephemeral:?}"));
    let error = ephemeral.needs_replay().await.unwrap_err();
    shown.push(format!("{error} {error:?}"));
    shown.push(format!("{:?}", tokenhouse::error::Error::from(error)));
    let error = ephemeral.count("key", MINUTE).await.unwrap_err();
    shown.push(format!("{error} {error:?}"));
    for url in [
        "redis://:wrong-sesame@",
        "redis://:wrong-sesame@host:port/",
        "redis://:wrong-sesame@host/database",
        "http://:wrong-sesame@host/",
        "wrong-sesame",
        "redis://:wrong#sesame@host",
    ] {
        let error = RedisEphemeral::connect(strict(url)).await.unwrap_err();
        assert!(matches!(error, StoreError::Broken { .. }), "{error:?}");
        shown.push(format!("{error} {error:?} {:?}", std::error::Error::source(&error).map(ToString::to_string)));
    }
    assert!(!shown.iter().any(|text| text.contains("sesame")), "{shown:#?}");

    let ephemeral = shared::open(strict(&server.url_with("right-sesame"))).await;
    ephemeral.ping().await.unwrap();
}
