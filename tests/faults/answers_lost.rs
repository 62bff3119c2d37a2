//! Rows 10 and 11: the answer to a refresh is lost and the client asks again, sooner or later; and a hundred ask at
//! once.

use std::time::Duration;

use tokenhouse::config::{self, Config};
use tokenhouse::model::{LiveSession, RotationState};
use tokenhouse::tokens;
use tokio::task::JoinSet;

use crate::checks::{Allowed, NOTHING, Silence, Writes};
use crate::clients::Instances;
use crate::history::{Answer, Mark};
use crate::proxy::{Proxy, Way};
use crate::recorded_cluster::RecordedCluster;
use crate::server::backends;
use crate::times;

/// The answer that was dropped counts as none.
const DROPPED: Allowed = Allowed { writes: Writes::Kept, silence: Silence::Allowed };

/// A session whose second refresh was answered and the answer lost.
struct Lost {
    /// What the client has.
    held: String,
    /// What it was sent.
    lost: String,
}

async fn lose_an_answer(cluster: &RecordedCluster) -> Lost {
    let first = cluster.instances.sessions(1).await.remove(0);
    let held = cluster.instances.next(&first).await;
    let proxy = Proxy::to(cluster.server().running.address);
    proxy.set(Way::DropAnswersAfter(0));
    let session = cluster.server().session_of(&held);
    let dropped = tokio::time::timeout(Duration::from_secs(20), async {
        let instances = Instances::of(&[proxy.address()]);
        let mut asking = Box::pin(instances.refresh(0, &held));
        loop {
            tokio::select! {
                answer = &mut asking => panic!("{answer:?} came through"),
                () = tokio::time::sleep(Duration::from_millis(5)) => {}
            }
            let record = cluster.server().record(session).await;
            if record.current.number == 2 {
                return record;
            }
        }
    });
    let record = dropped.await.unwrap();
    let lost = tokens::refresh_token(cluster.ctx(), &LiveSession { id: session, record }).unwrap();
    Lost { held, lost }
}

/// Lets the rotation of `held` lie that far back, by the clock of the store, which no test can move.
async fn rotated_ago(cluster: &RecordedCluster, held: &str, ago: Duration) {
    let session = cluster.server().session_of(held);
    let ephemeral = &cluster.ctx().store.ephemeral;
    let (RotationState::Live(old), now) = ephemeral.load(session).await.unwrap() else { panic!("no live record") };
    let mut aged = *old.clone();
    aged.ancestors[0].rotated_at = now.minus(ago);
    assert!(ephemeral.replace(session, &old, &aged).await.unwrap());
}

#[actix_web::test]
async fn a_retry_within_the_window_gets_the_token_that_was_lost() {
    for backend in backends() {
        let cluster = RecordedCluster::open(backend, |_, _| {}).await;
        for after in [Duration::from_millis(100), Duration::from_secs(5), Duration::from_secs(29)] {
            let Lost { held, lost } = lose_an_answer(&cluster).await;
            rotated_ago(&cluster, &held, after).await;

            for at in 0..cluster.instances.count() {
                assert_eq!(cluster.instances.refresh(at, &held).await, Answer::Issued(lost.clone()), "after {after:?}");
            }
        }
        cluster.check(DROPPED).await;
        cluster.close().await;
    }
}

#[actix_web::test]
async fn a_late_retry_gets_another_token_and_the_lost_one_is_dead() {
    for backend in backends() {
        let cluster = RecordedCluster::open(backend, |_, _| {}).await;
        for after in [Duration::from_secs(31), Duration::from_hours(3)] {
            let Lost { held, lost } = lose_an_answer(&cluster).await;
            rotated_ago(&cluster, &held, after).await;

            let again = cluster.instances.next(&held).await;
            let position = Mark::of(&lost).position();
            assert_eq!(Mark::of(&again).position(), (position.0, position.1 + 1), "after {after:?}");
            assert_eq!(cluster.instances.next(&held).await, again, "it was re-issued just now");
            let next = cluster.instances.next(&again).await;
            assert_eq!(cluster.instances.steal(1, &lost).await, Answer::Refused);
            assert_eq!(cluster.instances.refresh(0, &next).await, Answer::Refused);
        }
        cluster.check(DROPPED).await;
        cluster.close().await;
    }
}

#[actix_web::test]
async fn a_strict_server_takes_any_retry_for_theft() {
    for backend in backends() {
        let strict = |config: &mut Config, _| {
            config.refresh.retry_window = config::Duration::seconds(0);
            config.refresh.lost_response_window = Some(config::Duration::seconds(0));
        };
        let cluster = RecordedCluster::open(backend, strict).await;
        let Lost { held, lost } = lose_an_answer(&cluster).await;

        assert_eq!(cluster.instances.steal(1, &held).await, Answer::Refused);
        assert_eq!(cluster.instances.refresh(0, &lost).await, Answer::Refused);
        cluster.check(DROPPED).await;
        cluster.close().await;
    }
}

#[actix_web::test]
async fn a_hundred_parallel_refreshes_on_two_instances_get_one_successor() {
    for backend in backends() {
        let cluster = RecordedCluster::open(backend, |_, _| {}).await;
        let mut token = cluster.instances.sessions(1).await.remove(0);
        for _ in 0..times(2, 100) {
            let mut load = JoinSet::new();
            for position in 0..100 {
                let (instances, token) = (cluster.instances.clone(), token.clone());
                load.spawn(async move { instances.refresh(position % 2, &token).await });
            }
            let answers = load.join_all().await;

            let Answer::Issued(successor) = answers[0].clone() else { panic!("{:?}", answers[0]) };
            assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
            token = successor;
        }
        cluster.instances.next(&token).await;
        cluster.check(NOTHING).await;
        cluster.close().await;
    }
}
