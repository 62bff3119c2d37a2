//! Row 8: it is unknown whether a commit was done. The connection is cut before the statement, right behind it, or
//! before its answer.

use tokenhouse::config::Config;

use crate::checks::NOTHING;
use crate::history::Answer;
use crate::proxy::{Moment, Proxy, Way};
use crate::recorded_cluster::RecordedCluster;
use crate::server::Backend;
use crate::settings::{database_by, impatient, shared_postgres};
use crate::support::only_sqlite;
use crate::times;

const MOMENTS: [Moment; 3] = [Moment::Before, Moment::Sent, Moment::Done];

/// Who writes.
#[derive(Debug, Clone, Copy)]
enum Writer {
    SignIn,
    End,
    Theft,
    /// A refresh, where the ephemeral store lives in the database.
    Refresh,
}

#[actix_web::test]
async fn when_the_result_of_a_commit_is_unknown_nothing_is_lost_or_comes_back() {
    cut_commits(|_| {}, &[Writer::SignIn, Writer::End, Writer::Theft], times(15, 500)).await;
}

#[actix_web::test]
async fn without_redis_the_result_of_a_rotation_may_be_unknown_as_well() {
    let writers = [Writer::Refresh, Writer::End, Writer::SignIn, Writer::Refresh, Writer::Theft];
    cut_commits(|config| config.redis.url = None, &writers, times(15, 500)).await;
}

async fn cut_commits(settings: impl Fn(&mut Config), writers: &[Writer], rounds: usize) {
    if only_sqlite() {
        return;
    }
    let proxy = Proxy::to_port(shared_postgres());
    let cluster = RecordedCluster::open(Backend::Servers, |config, instance| {
        impatient(config);
        settings(config);
        if instance == 1 {
            database_by(config, proxy.port());
        }
    })
    .await;
    let instances = &cluster.instances;
    let mut current = instances.sessions(1).await.remove(0);
    for round in 0..rounds {
        let writer = writers[round % writers.len()];
        let moment = MOMENTS[round / writers.len() % MOMENTS.len()];
        let (doomed, stolen) = (instances.sessions(1).await.remove(0), instances.sessions(1).await.remove(0));
        let mut next = stolen.clone();
        for _ in 0..6 {
            next = instances.next(&next).await;
        }

        let statement = if matches!(writer, Writer::Refresh) { "update rotation_records" } else { "commit" };
        proxy.set(Way::Cut(statement, moment));
        match writer {
            Writer::SignIn => drop(instances.sign_in(1).await),
            Writer::End => drop(instances.end(1, &doomed).await),
            Writer::Theft => drop(instances.steal(1, &stolen).await),
            Writer::Refresh => drop(instances.refresh(1, &current).await),
        }
        proxy.set(Way::Pass);

        current = instances.next(&current).await;
        instances.end_at_last(&doomed).await;
        for at in 0..instances.count() {
            assert_eq!(instances.refresh(at, &doomed).await, Answer::Refused, "{writer:?} {moment:?}");
        }
        instances.steal(0, &stolen).await;
        assert_eq!(instances.refresh(1, &next).await, Answer::Refused, "{writer:?} {moment:?}");
    }
    assert!(proxy.cuts() > rounds * 3 / 4, "{} of {rounds} were cut", proxy.cuts());
    cluster.check(NOTHING).await;
    cluster.close().await;
}
