//! Rows 4 and 5: a Redis that is silent, slow, half open or reset, and one that answers but will not serve.

use std::time::Duration;

use redis::{Cmd, cmd};
use reqwest::Method;

use crate::checks::NOTHING;
use crate::clients::{Instances, LoadClients};
use crate::history::{Answer, Call, Event};
use crate::proxy::{Proxy, Way};
use crate::recorded_cluster::RecordedCluster;
use crate::server::Backend;
use crate::settings::{impatient, pass, port_of, redis_by};
use crate::support::private_redis::PrivateRedis;
use crate::support::{only_sqlite, redis as shared};
use crate::times;

/// What a refresh may take once the breaker is open. All but one call in 200 ms are refused at once; a trial costs
/// 250 ms to connect and 100 ms to ask at most. The rest is slack for a busy machine.
const BOUND: Duration = Duration::from_millis(1_500);

/// After which time the breaker must be open: five failures in a row, 350 ms each at most.
const TO_OPEN: Duration = Duration::from_secs(2);

#[actix_web::test]
async fn a_redis_in_a_black_hole_costs_503_in_bounded_time_and_consumes_nothing() {
    cut_off(Way::Hold).await;
}

#[actix_web::test]
async fn a_redis_too_slow_or_half_open_or_cut_off_costs_503_and_consumes_nothing() {
    cut_off(Way::Delay(Duration::from_millis(400))).await;
    cut_off(Way::DropAnswersAfter(0)).await;
    cut_off(Way::HalfClose).await;
    cut_off(Way::Reset).await;
}

async fn cut_off(way: Way) {
    if only_sqlite() {
        return;
    }
    let Some(redis) = PrivateRedis::start(&[]) else { return };
    let proxy = Proxy::to_port(port_of(&redis.url()));
    let cluster = cluster(proxy.port()).await;
    let instances = &cluster.instances;
    let tokens = instances.sessions(4).await;
    let mut load = LoadClients::at(instances);
    load.walk(&tokens);
    pass(200).await;
    let sessions = live_sessions(&cluster).await;

    proxy.set(way);
    let (mark, since) = (instances.history.mark(), instances.history.now());
    pass(200).await;
    assert!(matches!(instances.sign_in(0).await, Answer::Away(Some(_))), "{way:?}");
    assert_eq!(cluster.server().get("/.well-known/jwks.json").await.status, 200);
    let seconds = u64::try_from(times(1, 30)).unwrap();
    pass(u64::try_from(TO_OPEN.as_millis()).unwrap() + seconds * 1000).await;
    let during = instances.history.since(mark);
    proxy.set(Way::Pass);
    let current = load.leave().await;

    assert_eq!(current.len(), tokens.len(), "{way:?}");
    let p99 = p99(&during, since + TO_OPEN);
    assert!(p99 < BOUND, "{way:?}: {p99:?}");
    assert_eq!(live_sessions(&cluster).await, sessions, "a sign-in was half done");
    assert_eq!(instances.steal(0, &tokens[0]).await, Answer::Refused);
    cluster.check(NOTHING).await;
    cluster.close().await;
}

/// Of the refreshes that were asked for from then on; all of them were refused.
fn p99(during: &[Event], from: Duration) -> Duration {
    let late = during.iter().filter(|event| event.asked >= from && matches!(event.call, Call::Refresh(_)));
    let mut times: Vec<Duration> = late
        .map(|event| {
            assert!(matches!(event.answer, Answer::Away(Some(_))), "{event:?}");
            event.answered.saturating_sub(event.asked)
        })
        .collect();
    assert!(times.len() > 20, "{} refreshes were tried", times.len());
    times.sort_unstable();
    times[times.len() * 99 / 100]
}

async fn live_sessions(cluster: &RecordedCluster) -> usize {
    let filter = tokenhouse::model::SessionFilter { live_only: true, ..Default::default() };
    let page = tokenhouse::model::PageRequest::new(None, Some(500));
    cluster.ctx().store.database.list_sessions(&filter, &page, cluster.ctx().now()).await.unwrap().items.len()
}

#[actix_web::test]
async fn a_redis_that_will_not_serve_costs_503_and_consumes_nothing() {
    if only_sqlite() {
        return;
    }
    let Some(redis) = PrivateRedis::start(&["--maxmemory-policy", "noeviction"]) else { return };
    let cluster = cluster(port_of(&redis.url())).await;
    let tokens = cluster.instances.sessions(4).await;
    let mut load = LoadClients::at(&cluster.instances);
    load.walk(&tokens);
    for _ in 0..times(1, 20) {
        for (name, fault, cure) in [
            ("OOM", config("maxmemory", "1"), config("maxmemory", "0")),
            ("NOREPLICAS", config("min-replicas-to-write", "1"), config("min-replicas-to-write", "0")),
            ("READONLY", replica_of("127.0.0.1", "1"), replica_of("NO", "ONE")),
        ] {
            run(&redis, &fault).await;
            pass(100).await;
            let mark = cluster.instances.history.mark();
            pass(500).await;
            let during = cluster.instances.history.since(mark);
            run(&redis, &cure).await;
            let refused = during.iter().filter(|event| matches!(event.answer, Answer::Away(Some(_)))).count();
            assert!(refused > 0, "{name} was not noticed");
            served_again(&cluster.instances).await;
        }
    }
    let current = load.leave().await;

    assert_eq!(current.len(), tokens.len());
    assert_eq!(cluster.instances.steal(0, &tokens[0]).await, Answer::Refused);
    cluster.check(NOTHING).await;
    cluster.close().await;
}

#[actix_web::test]
async fn scripts_flushed_under_load_cost_503_at_most() {
    if only_sqlite() {
        return;
    }
    let Some(redis) = PrivateRedis::start(&[]) else { return };
    let cluster = RecordedCluster::open(Backend::Servers, |config, _| redis_by(config, port_of(&redis.url()))).await;
    let tokens = cluster.instances.sessions(4).await;
    let mut load = LoadClients::at(&cluster.instances);
    load.walk(&tokens);

    let mut flush = cmd("SCRIPT");
    flush.arg("FLUSH");
    for _ in 0..times(50, 2_000) {
        run(&redis, &flush).await;
        pass(20).await;
    }
    let current = load.leave().await;

    assert_eq!(current.len(), tokens.len());
    let served = cluster.instances.history.count(|event| matches!(event.answer, Answer::Issued(_)));
    assert!(served * 10 > cluster.instances.history.mark() * 9, "{served} of {}", cluster.instances.history.mark());
    cluster.check(NOTHING).await;
    cluster.close().await;
}

#[actix_web::test]
async fn an_end_that_redis_does_not_hear_of_is_pending_and_holds_on_every_instance() {
    if only_sqlite() {
        return;
    }
    let Some(redis) = PrivateRedis::start(&[]) else { return };
    let way = Proxy::to_port(port_of(&redis.url()));
    let ports = [way.port(), port_of(&redis.url())];
    let cluster = RecordedCluster::open(Backend::Servers, |config, instance| {
        impatient(config);
        redis_by(config, ports[instance]);
    })
    .await;
    let (instances, server) = (&cluster.instances, cluster.server());
    let tokens = instances.sessions(2).await;
    let admin = server.admin_token().await;

    way.set(Way::Hold);
    pass(TO_OPEN.as_secs() * 1000).await;
    let session = server.session_of(&tokens[0]).to_string();
    let path = format!("/admin/v1/sessions/{session}");
    let end = async {
        let answer = server.admin(&admin, Method::DELETE, &path, None).await;
        assert_eq!((answer.status, &answer.body["applied"]), (202, &"pending".into()), "{}", answer.text);
        Answer::Pending
    };
    instances.history.record(Call::End(session.clone()), end).await;
    assert!(matches!(instances.end(0, &tokens[1]).await, Answer::Away(Some(_))), "the client is to try again");
    let mut load = LoadClients::at(instances);
    load.keep_using(&tokens[0]);
    pass(4_000).await;
    way.set(Way::Pass);
    instances.end_at_last(&tokens[1]).await;
    load.keep_using(&tokens[1]);
    pass(1_500).await;
    load.leave().await;

    assert_eq!(instances.refresh(0, &tokens[0]).await, Answer::Refused);
    cluster.check(NOTHING).await;
    cluster.close().await;
}

async fn served_again(instances: &Instances) {
    for _ in 0..100 {
        let mark = instances.history.mark();
        pass(100).await;
        if instances.history.since(mark).iter().filter(|event| event.is_success()).count() > 4 {
            return;
        }
    }
    panic!("no client was served again");
}

async fn cluster(port: u16) -> RecordedCluster {
    RecordedCluster::open(Backend::Servers, |config, _| {
        impatient(config);
        redis_by(config, port);
    })
    .await
}

fn config(name: &str, value: &str) -> Cmd {
    let mut set = cmd("CONFIG");
    set.arg("SET").arg(name).arg(value);
    set
}

fn replica_of(host: &str, port: &str) -> Cmd {
    let mut replica_of = cmd("REPLICAOF");
    replica_of.arg(host).arg(port);
    replica_of
}

async fn run(redis: &PrivateRedis, command: &Cmd) {
    let mut raw = shared::raw(&redis.url()).await;
    let (): () = command.query_async(&mut raw).await.unwrap();
}
