//! The replay gate: after a loss, nothing touches a rotation record before recent ends have been written again.

use std::time::Duration;

use redis::cmd;
use tokenhouse::model::HotSession;
use tokenhouse::store::HotState;
use tokenhouse::store::redis::RedisHot;

use super::redis_faults::{is_unavailable, strict, watch};
use crate::support::private_redis::PrivateRedis;
use crate::support::records::{record, session};
use crate::support::{only_sqlite, redis as shared};

const MINUTE: Duration = Duration::from_mins(1);

fn server() -> Option<PrivateRedis> {
    if only_sqlite() { None } else { PrivateRedis::start(&[]) }
}

/// Whether rotation records are out of reach.
async fn is_closed(hot: &RedisHot) -> bool {
    let session = session();
    let record = record(tokenhouse::clock::Timestamp::from_seconds(4_000_000_000));
    let answers = [
        is_unavailable(&hot.advance(session, record.current).await),
        is_unavailable(&hot.load(session).await),
        is_unavailable(&hot.insert(session, &record).await),
        is_unavailable(&hot.replace(session, &record, &record).await),
    ];
    assert!(answers.iter().all(|closed| *closed == answers[0]), "all or none: {answers:?}");
    answers[0]
}

/// Ends every connection of the server from its side.
async fn cut_connections(server: &PrivateRedis) {
    let mut raw = shared::raw(&server.url()).await;
    let (): () = cmd("CLIENT").arg("KILL").arg("TYPE").arg("normal").query_async(&mut raw).await.unwrap();
}

#[tokio::test]
async fn an_instance_begins_behind_a_closed_gate() {
    let Some(server) = server() else { return };
    let hot = RedisHot::connect(strict(&server.url())).await.unwrap();

    assert!(is_closed(&hot).await);
    assert!(is_unavailable(&hot.ping().await), "it answers, but it is not up to date");
    assert!(hot.needs_replay().await.unwrap());
    assert!(hot.needs_replay().await.unwrap(), "as long as it is so");
    assert!(is_closed(&hot).await);

    hot.replayed().await;

    assert!(!is_closed(&hot).await);
    assert!(!hot.needs_replay().await.unwrap());
    hot.ping().await.unwrap();
}

#[tokio::test]
async fn a_replay_that_nobody_asked_for_opens_nothing() {
    let Some(server) = server() else { return };
    let hot = RedisHot::connect(strict(&server.url())).await.unwrap();

    hot.replayed().await;

    assert!(is_closed(&hot).await);
}

#[tokio::test]
async fn a_server_restarted_empty_is_refused_until_ends_are_written_again() {
    let Some(mut server) = server() else { return };
    let hot = shared::open(strict(&server.url())).await;
    let (ended, lost) = (session(), session());
    let record = record(hot.load(ended).await.unwrap().1);
    hot.insert(ended, &record).await.unwrap();
    hot.insert(lost, &record).await.unwrap();
    hot.end(&[ended], MINUTE).await.unwrap();

    server.kill();
    server.launch();

    assert!(is_unavailable(&hot.advance(ended, record.current).await), "the first call finds the connection broken");
    assert!(is_closed(&hot).await);
    assert_eq!(hot.count("key", MINUTE).await.unwrap().count, 1, "counters go on");
    assert!(hot.put_once("key", "value", MINUTE).await.unwrap(), "one-time values go on");
    assert!(is_closed(&hot).await, "although it is connected again");
    assert!(hot.needs_replay().await.unwrap());
    hot.end(&[ended], MINUTE).await.unwrap();
    assert!(is_closed(&hot).await);
    hot.replayed().await;

    assert!(!hot.insert(ended, &record).await.unwrap(), "a rebuilt record does not undo the end");
    assert_eq!(hot.advance(ended, record.current).await.unwrap().session, HotSession::Ended);
    assert!(hot.insert(lost, &record).await.unwrap(), "a lost one is rebuilt");
}

#[tokio::test]
async fn a_second_loss_during_the_replay_keeps_the_gate_closed() {
    let Some(server) = server() else { return };
    let hot = RedisHot::connect(strict(&server.url())).await.unwrap();
    assert!(hot.needs_replay().await.unwrap());

    cut_connections(&server).await;
    while is_unavailable(&hot.count("key", MINUTE).await) {}
    hot.replayed().await;

    assert!(is_closed(&hot).await);
    assert!(hot.needs_replay().await.unwrap());
    hot.replayed().await;
    assert!(!is_closed(&hot).await);
}

#[tokio::test]
async fn a_cut_connection_closes_the_gate_although_the_server_lived_on() {
    let Some(server) = server() else { return };
    let hot = shared::open(strict(&server.url())).await;

    cut_connections(&server).await;
    while is_unavailable(&hot.count("key", MINUTE).await) {}

    assert!(is_closed(&hot).await);
    watch(&hot).await;
    assert!(!is_closed(&hot).await);
}

#[tokio::test]
async fn a_failover_behind_a_standing_connection_is_noticed_at_the_next_look() {
    let Some(server) = server() else { return };
    let hot = shared::open(strict(&server.url())).await;
    let mut raw = shared::raw(&server.url()).await;

    let (): () = cmd("DEBUG").arg("CHANGE-REPL-ID").query_async(&mut raw).await.unwrap();
    assert!(!is_closed(&hot).await, "this is the window");

    assert!(hot.needs_replay().await.unwrap());
    assert!(is_closed(&hot).await);
    let (): () = cmd("DEBUG").arg("CHANGE-REPL-ID").query_async(&mut raw).await.unwrap();
    hot.replayed().await;
    assert!(is_closed(&hot).await, "the ends may have been written to the one before");
    watch(&hot).await;
    assert!(!is_closed(&hot).await);
}
