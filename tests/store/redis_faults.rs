//! What a Redis server may do to us, and what must still hold.

#![allow(clippy::disallowed_methods, reason = "these tests measure how long a fault keeps a caller")]

use std::time::{Duration, Instant};

use redis::cmd;
use tokenhouse::model::HotSession;
use tokenhouse::store::redis::{RedisHot, RedisSettings};
use tokenhouse::store::{HotState, StoreError};

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
    matches!(answer, Err(StoreError::Unavailable { store: "hot state", .. }))
}

/// Comes by like the watcher, until the store is up to date again.
pub(super) async fn watch(hot: &RedisHot) {
    for _ in 0..100 {
        match hot.needs_replay().await {
            Ok(true) => hot.replayed().await,
            Ok(false) => return,
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    panic!("the store did not come back");
}

/// Whether each operation answers `Unavailable`, and how long the slowest took.
async fn all_unavailable(hot: &RedisHot) -> (bool, Duration) {
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
        hot.advance(session, record.current),
        hot.load(session),
        hot.insert(session, &record),
        hot.replace(session, &record, &record),
        hot.end(&[session], MINUTE),
        hot.put_once("key", "value", MINUTE),
        hot.take_once("key"),
        hot.remember("key", MINUTE),
        hot.remembers("key"),
        hot.count("key", MINUTE),
        hot.forget("key"),
        hot.ping(),
        hot.needs_replay(),
    ];
    (all, slowest)
}

#[tokio::test]
async fn a_silent_server_costs_each_call_the_timeout_and_soon_nothing() {
    let Some(server) = server(&[]) else { return };
    let hot = shared::open(strict(&server.url())).await;
    let session = session();
    let record = record(hot.load(session).await.unwrap().1);
    hot.insert(session, &record).await.unwrap();

    server.freeze();
    let (all, slowest) = all_unavailable(&hot).await;
    assert!(all);
    assert!(slowest < Duration::from_millis(600), "{slowest:?}: 250 ms to connect and 100 ms to ask, and some slack");

    // The breaker is open: of many calls, all but the trials answer at once.
    let mut times = Vec::new();
    for _ in 0..300 {
        let asked = Instant::now();
        assert!(is_unavailable(&hot.count("key", MINUTE).await));
        times.push(asked.elapsed());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    times.sort_unstable();
    assert!(times[285] < Duration::from_millis(20), "95 % at once: {:?}", times[285]);
    assert!(times[299] < Duration::from_millis(600), "{:?}", times[299]);

    server.thaw();
    watch(&hot).await;
    assert!(hot.advance(session, record.current).await.unwrap().advanced);
    let (live, _) = hot.load(session).await.unwrap();
    assert!(matches!(live, HotSession::Live(live) if live.current.number == 1), "nothing was sent twice");
}

#[tokio::test]
async fn calls_in_parallel_wait_no_longer_than_one() {
    let Some(server) = server(&[]) else { return };
    let hot = std::sync::Arc::new(shared::open(strict(&server.url())).await);
    server.freeze();
    tokio::time::sleep(Duration::from_millis(50)).await;

    let asked = Instant::now();
    for _ in 0..5 {
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..200 {
            let hot = std::sync::Arc::clone(&hot);
            calls.spawn(async move { is_unavailable(&hot.count("key", MINUTE).await) });
        }
        assert!(calls.join_all().await.into_iter().all(|unavailable| unavailable));
    }

    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
}

#[tokio::test]
async fn one_slow_answer_does_not_close_the_gate() {
    let Some(server) = server(&[]) else { return };
    let hot = shared::open(strict(&server.url())).await;
    let session = session();

    server.freeze();
    assert!(is_unavailable(&hot.load(session).await));
    server.thaw();

    assert_eq!(hot.load(session).await.unwrap().0, HotSession::Absent);
    assert!(!hot.needs_replay().await.unwrap());
}

#[tokio::test]
async fn a_server_that_is_away_at_the_start_is_found_later() {
    if only_sqlite() {
        return;
    }
    let Some(mut server) = PrivateRedis::prepare(&[]) else { return };
    let hot = RedisHot::connect(strict(&server.url())).await.unwrap();
    let (all, slowest) = all_unavailable(&hot).await;
    assert!(all);
    assert!(slowest < Duration::from_millis(600), "{slowest:?}");

    server.launch();
    watch(&hot).await;

    assert_eq!(hot.load(session()).await.unwrap().0, HotSession::Absent);
    hot.ping().await.unwrap();
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_unavailable_by_a_tls_url() {
    let Some(server) = server(&[]) else { return };
    let hot = RedisHot::connect(strict(&server.url().replace("redis:", "rediss:"))).await.unwrap();

    assert!(is_unavailable(&hot.needs_replay().await));
    assert!(is_unavailable(&hot.count("key", MINUTE).await));
}

#[tokio::test]
async fn flushed_scripts_are_sent_again() {
    let Some(server) = server(&[]) else { return };
    let hot = shared::open(strict(&server.url())).await;
    let mut raw = shared::raw(&server.url()).await;
    let session = session();
    let mut expected = record(hot.load(session).await.unwrap().1);
    hot.insert(session, &expected).await.unwrap();

    for round in 1..=10 {
        let (): () = cmd("SCRIPT").arg("FLUSH").query_async(&mut raw).await.unwrap();
        let answer = hot.advance(session, expected.current).await.unwrap();
        assert!(answer.advanced);
        expected = expected.advanced(answer.now);
        let (): () = cmd("SCRIPT").arg("FLUSH").query_async(&mut raw).await.unwrap();
        assert_eq!(hot.count("key", MINUTE).await.unwrap().count, round);
    }
    assert_eq!(hot.load(session).await.unwrap().0, HotSession::Live(Box::new(expected)));
}

#[tokio::test]
async fn a_server_without_memory_consumes_nothing() {
    let Some(server) = server(&["--maxmemory-policy", "noeviction"]) else { return };
    let hot = shared::open(strict(&server.url())).await;
    let mut raw = shared::raw(&server.url()).await;
    let (session, other) = (session(), session());
    let record = record(hot.load(session).await.unwrap().1);
    hot.insert(session, &record).await.unwrap();
    hot.put_once("key", "value", MINUTE).await.unwrap();

    let (): () = cmd("CONFIG").arg("SET").arg("maxmemory").arg("1").query_async(&mut raw).await.unwrap();
    for _ in 0..10 {
        assert!(is_unavailable(&hot.advance(session, record.current).await));
        assert!(is_unavailable(&hot.insert(other, &record).await));
        assert!(is_unavailable(&hot.replace(session, &record, &record.advanced(record.issued_at)).await));
        assert!(is_unavailable(&hot.end(&[session, other], MINUTE).await));
        assert!(is_unavailable(&hot.put_once("other", "value", MINUTE).await));
        assert!(is_unavailable(&hot.take_once("key").await));
        assert!(is_unavailable(&hot.count("key", MINUTE).await));
        assert!(is_unavailable(&hot.remember("key", MINUTE).await));
    }
    let (): () = cmd("CONFIG").arg("SET").arg("maxmemory").arg("0").query_async(&mut raw).await.unwrap();

    assert_eq!(hot.load(session).await.unwrap().0, HotSession::Live(Box::new(record.clone())));
    assert!(hot.advance(session, record.current).await.unwrap().advanced);
    assert!(matches!(hot.take_once("key").await.unwrap(), tokenhouse::store::Taken::First(_)));
}

#[tokio::test]
async fn a_replica_is_not_written_to_and_not_trusted() {
    let Some(server) = server(&[]) else { return };
    let hot = shared::open(strict(&server.url())).await;
    let mut raw = shared::raw(&server.url()).await;
    let session = session();
    let record = record(hot.load(session).await.unwrap().1);
    hot.insert(session, &record).await.unwrap();

    let (): () = cmd("REPLICAOF").arg("127.0.0.1").arg("1").query_async(&mut raw).await.unwrap();
    assert!(is_unavailable(&hot.advance(session, record.current).await));
    assert!(is_unavailable(&hot.count("key", MINUTE).await));
    assert!(is_unavailable(&hot.end(&[session], MINUTE).await));
    assert!(is_unavailable(&hot.needs_replay().await));
    assert!(is_unavailable(&hot.load(session).await));
    assert!(is_unavailable(&hot.ping().await));

    let (): () = cmd("REPLICAOF").arg("NO").arg("ONE").query_async(&mut raw).await.unwrap();
    assert!(is_unavailable(&hot.load(session).await), "promoted: ends may be missing");
    watch(&hot).await;
    assert!(hot.advance(session, record.current).await.unwrap().advanced);
}

#[tokio::test]
async fn the_password_is_never_shown() {
    let Some(server) = server(&["--requirepass", "right-sesame"]) else { return };
    let mut shown = Vec::new();

    let settings = strict(&server.url_with("wrong-sesame"));
    shown.push(format!("{settings:?}"));
    let hot = RedisHot::connect(settings).await.unwrap();
    shown.push(format!("{hot:?}"));
    let error = hot.needs_replay().await.unwrap_err();
    shown.push(format!("{error} {error:?}"));
    shown.push(format!("{:?}", tokenhouse::protocol::OAuthError::from(error)));
    let error = hot.count("key", MINUTE).await.unwrap_err();
    shown.push(format!("{error} {error:?}"));
    for url in [
        "redis://:wrong-sesame@",
        "redis://:wrong-sesame@host:port/",
        "redis://:wrong-sesame@host/database",
        "http://:wrong-sesame@host/",
        "wrong-sesame",
        "redis://:wrong#sesame@host",
    ] {
        let error = RedisHot::connect(strict(url)).await.unwrap_err();
        assert!(matches!(error, StoreError::Broken { .. }), "{error:?}");
        shown.push(format!("{error} {error:?} {:?}", std::error::Error::source(&error).map(ToString::to_string)));
    }
    assert!(!shown.iter().any(|text| text.contains("sesame")), "{shown:#?}");

    let hot = shared::open(strict(&server.url_with("right-sesame"))).await;
    hot.ping().await.unwrap();
}
