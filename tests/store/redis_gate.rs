//! The replay gate: after a loss, nothing touches a rotation record before recent ends have been written again.

use std::time::Duration;

use redis::cmd;
use tokenhouse::model::RotationState;
use tokenhouse::store::EphemeralStore;
use tokenhouse::store::redis::RedisEphemeral;

use super::redis_faults::{is_unavailable, strict, watch};
use crate::support::private_redis::PrivateRedis;
use crate::support::records::{record, session};
use crate::support::{only_sqlite, redis as shared};

const MINUTE: Duration = Duration::from_mins(1);

fn server() -> Option<PrivateRedis> {
    if only_sqlite() { None } else { PrivateRedis::start(&[]) }
}

/// Whether rotation records are out of reach.
async fn is_closed(ephemeral: &RedisEphemeral) -> bool {
    let session = session();
    let record = record(tokenhouse::clock::Timestamp::from_seconds(4_000_000_000));
    let answers = [
        is_unavailable(&ephemeral.advance(session, record.current).await),
        is_unavailable(&ephemeral.load(session).await),
        is_unavailable(&ephemeral.insert(session, &record).await),
        is_unavailable(&ephemeral.replace(session, &record, &record).await),
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
    let ephemeral = RedisEphemeral::connect(strict(&server.url())).await.unwrap();

    assert!(is_closed(&ephemeral).await);
    assert!(is_unavailable(&ephemeral.ping().await), "it answers, but it is not up to date");
    assert!(ephemeral.needs_replay().await.unwrap());
    assert!(ephemeral.needs_replay().await.unwrap(), "as long as it is so");
    assert!(is_closed(&ephemeral).await);

    ephemeral.replayed().await;

    assert!(!is_closed(&ephemeral).await);
    assert!(!ephemeral.needs_replay().await.unwrap());
    ephemeral.ping().await.unwrap();
}

#[tokio::test]
async fn a_replay_that_was_not_asked_for_opens_nothing() {
    let Some(server) = server() else { return };
    let ephemeral = RedisEphemeral::connect(strict(&server.url())).await.unwrap();

    ephemeral.replayed().await;

    assert!(is_closed(&ephemeral).await);
}

#[tokio::test]
async fn a_server_restarted_empty_is_refused_until_ends_are_written_again() {
    let Some(mut server) = server() else { return };
    let ephemeral = shared::open(strict(&server.url())).await;
    let (ended, lost) = (session(), session());
    let record = record(ephemeral.load(ended).await.unwrap().1);
    ephemeral.insert(ended, &record).await.unwrap();
    ephemeral.insert(lost, &record).await.unwrap();
    ephemeral.end(&[ended], MINUTE).await.unwrap();

    server.kill();
    server.launch();

    assert!(
        is_unavailable(&ephemeral.advance(ended, record.current).await),
        "the first call finds the connection broken"
    );
    assert!(is_closed(&ephemeral).await);
    assert_eq!(ephemeral.count("key", MINUTE).await.unwrap().count, 1, "counters go on");
    assert!(ephemeral.put_once("key", "value", MINUTE).await.unwrap(), "one-time values go on");
    assert!(is_closed(&ephemeral).await, "although it is connected again");
    assert!(ephemeral.needs_replay().await.unwrap());
    ephemeral.end(&[ended], MINUTE).await.unwrap();
    assert!(is_closed(&ephemeral).await);
    ephemeral.replayed().await;

    assert!(!ephemeral.insert(ended, &record).await.unwrap(), "a rebuilt record does not undo the end");
    assert_eq!(ephemeral.advance(ended, record.current).await.unwrap().session, RotationState::Ended);
    assert!(ephemeral.insert(lost, &record).await.unwrap(), "a lost one is rebuilt");
}

#[tokio::test]
async fn a_second_loss_during_the_replay_keeps_the_gate_closed() {
    let Some(server) = server() else { return };
    let ephemeral = RedisEphemeral::connect(strict(&server.url())).await.unwrap();
    assert!(ephemeral.needs_replay().await.unwrap());

    cut_connections(&server).await;
    while is_unavailable(&ephemeral.count("key", MINUTE).await) {}
    ephemeral.replayed().await;

    assert!(is_closed(&ephemeral).await);
    assert!(ephemeral.needs_replay().await.unwrap());
    ephemeral.replayed().await;
    assert!(!is_closed(&ephemeral).await);
}

#[tokio::test]
async fn a_cut_connection_closes_the_gate_although_the_server_lived_on() {
    let Some(server) = server() else { return };
    let ephemeral = shared::open(strict(&server.url())).await;

    cut_connections(&server).await;
    while is_unavailable(&ephemeral.count("key", MINUTE).await) {}

    assert!(is_closed(&ephemeral).await);
    watch(&ephemeral).await;
    assert!(!is_closed(&ephemeral).await);
}

#[tokio::test]
async fn a_failover_behind_a_standing_connection_is_noticed_at_the_next_look() {
    let Some(server) = server() else { return };
    let ephemeral = shared::open(strict(&server.url())).await;
    let mut raw = shared::raw(&server.url()).await;

    let (): () = cmd("DEBUG").arg("CHANGE-REPL-ID").query_async(&mut raw).await.unwrap();
    assert!(!is_closed(&ephemeral).await, "this is the window");

    assert!(ephemeral.needs_replay().await.unwrap());
    assert!(is_closed(&ephemeral).await);
    let (): () = cmd("DEBUG").arg("CHANGE-REPL-ID").query_async(&mut raw).await.unwrap();
    ephemeral.replayed().await;
    assert!(is_closed(&ephemeral).await, "the ends may have been written to the one before");
    watch(&ephemeral).await;
    assert!(!is_closed(&ephemeral).await);
}
