//! Rows 1 to 3: a Redis that restarts empty, fails over with lost writes, or comes back as it once was.

use redis::cmd;

use crate::checks::{Allowed, Silence, Writes};
use crate::clients::{Instances, LoadClients};
use crate::history::{Answer, Call, Mark};
use crate::proxy::{Proxy, Way};
use crate::recorded_cluster::RecordedCluster;
use crate::server::Backend;
use crate::settings::{impatient, pass, port_of, redis_by};
use crate::support::private_redis::PrivateRedis;
use crate::support::{only_sqlite, redis as shared};
use crate::times;

const FORGETFUL: Allowed = Allowed { writes: Writes::Lost, silence: Silence::Never };

/// How many honest clients there are.
const CLIENTS: usize = 6;

/// Long enough for both instances to notice, to write recent ends again, and to serve.
const RECOVERY: u64 = 1_500;

#[actix_web::test]
async fn a_redis_that_restarts_empty_under_load_signs_no_user_out_and_brings_nothing_back() {
    if only_sqlite() {
        return;
    }
    let Some(mut redis) = PrivateRedis::start(&[]) else { return };
    let cluster = cluster(port_of(&redis.url()), port_of(&redis.url())).await;
    let tokens = cluster.instances.sessions(CLIENTS).await;
    let mut load = LoadClients::at(&cluster.instances);
    load.walk(&tokens);
    for round in 0..times(2, 40) {
        let doomed = cluster.instances.sessions(2).await;
        pass(200).await;
        cluster.instances.end_at_last(&doomed[0]).await;
        keep_using(&mut load, round, &doomed[0]);

        redis.kill();
        assert!(matches!(cluster.instances.end(round % 2, &doomed[1]).await, Answer::Away(Some(_))));
        pass(200).await;
        redis.launch();
        cluster.instances.end_at_last(&doomed[1]).await;
        keep_using(&mut load, round, &doomed[1]);
        pass(RECOVERY).await;
    }
    let current = load.leave().await;

    assert_eq!(current.len(), CLIENTS);
    assert!(cluster.instances.history.count(|event| matches!(event.answer, Answer::Away(_))) > 0, "no client noticed");
    thief_is_found(&cluster.instances, &tokens[0], &current).await;
    cluster.check(FORGETFUL).await;
    cluster.close().await;
}

#[actix_web::test]
async fn a_failover_that_loses_writes_signs_no_user_out_and_brings_nothing_back() {
    if only_sqlite() {
        return;
    }
    for _ in 0..times(1, 10) {
        let Some(mut primary) = PrivateRedis::start(&["--repl-diskless-sync-delay", "0"]) else { return };
        let link = Proxy::to_port(port_of(&primary.url()));
        let replica = PrivateRedis::start(&["--replicaof", "127.0.0.1", &link.port().to_string()]).unwrap();
        in_step(&replica).await;
        let ways = [0, 1].map(|_| Proxy::to_port(port_of(&primary.url())));
        let cluster = cluster(ways[0].port(), ways[1].port()).await;
        let (tokens, doomed) = (cluster.instances.sessions(CLIENTS).await, cluster.instances.sessions(2).await);
        let mut load = LoadClients::at(&cluster.instances);
        load.walk(&tokens);
        pass(500).await;

        link.set(Way::Reset);
        pass(100).await;
        for (at, token) in doomed.iter().enumerate() {
            assert_eq!(
                cluster.instances.end(at, token).await,
                Answer::Good,
                "the primary took it, the replica did not"
            );
            load.keep_using(token);
        }
        pass(400).await;
        for way in &ways {
            way.lead_to_port(port_of(&replica.url()));
        }
        primary.kill();
        let lost = lost_rotations(&cluster, &replica).await;
        let mut raw = shared::raw(&replica.url()).await;
        let (): () = cmd("REPLICAOF").arg("NO").arg("ONE").query_async(&mut raw).await.unwrap();
        pass(RECOVERY + 500).await;
        let current = load.leave().await;

        assert!(lost > 0, "the replica missed nothing, so nothing was tried");
        assert_eq!(current.len(), CLIENTS);
        thief_is_found(&cluster.instances, &tokens[0], &current).await;
        cluster.check(FORGETFUL).await;
        cluster.close().await;
    }
}

#[actix_web::test]
async fn a_redis_rolled_back_to_an_old_snapshot_signs_no_user_out_and_brings_nothing_back() {
    if only_sqlite() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (folder, dump) = (folder.path().to_str().unwrap(), folder.path().join("dump.rdb"));
    let Some(mut redis) = PrivateRedis::start(&["--dir", folder, "--dbfilename", "dump.rdb"]) else { return };
    let cluster = cluster(port_of(&redis.url()), port_of(&redis.url())).await;
    let tokens = cluster.instances.sessions(CLIENTS).await;
    let mut load = LoadClients::at(&cluster.instances);
    load.walk(&tokens);
    for round in 0..times(2, 40) {
        let doomed = cluster.instances.sessions(2).await;
        pass(200).await;
        save(&redis).await;
        let old = std::fs::read(&dump).unwrap();
        pass(300).await;
        for token in &doomed {
            cluster.instances.end_at_last(token).await;
            keep_using(&mut load, round, token);
        }
        save(&redis).await;

        redis.kill();
        std::fs::write(&dump, old).unwrap();
        redis.launch();
        pass(RECOVERY).await;
    }
    let current = load.leave().await;

    assert_eq!(current.len(), CLIENTS);
    thief_is_found(&cluster.instances, &tokens[0], &current).await;
    cluster.check(FORGETFUL).await;
    cluster.close().await;
}

async fn cluster(one: u16, other: u16) -> RecordedCluster {
    RecordedCluster::open(Backend::Servers, |config, instance| {
        impatient(config);
        redis_by(config, [one, other][instance]);
    })
    .await
}

/// Of the first rounds, so that ghosts do not outnumber the living.
fn keep_using(load: &mut LoadClients, round: usize, token: &str) {
    if round < 3 {
        load.keep_using(token);
    }
}

/// After the fault, a used token still gives its thief away, and the honest client's one is dead with it.
async fn thief_is_found(instances: &Instances, used: &str, current: &[String]) {
    assert_eq!(instances.steal(0, used).await, Answer::Refused);
    let session = Mark::of(used).session;
    let token = current.iter().find(|token| Mark::of(token).session == session).unwrap();
    for at in 0..instances.count() {
        assert_eq!(instances.refresh(at, token).await, Answer::Refused);
    }
}

async fn save(redis: &PrivateRedis) {
    let mut raw = shared::raw(&redis.url()).await;
    let (): () = cmd("SAVE").query_async(&mut raw).await.unwrap();
}

async fn in_step(replica: &PrivateRedis) {
    let mut raw = shared::raw(&replica.url()).await;
    for _ in 0..200 {
        let info: String = cmd("INFO").arg("replication").query_async(&mut raw).await.unwrap();
        if info.contains("master_link_status:up") {
            return;
        }
        pass(50).await;
    }
    panic!("the replica did not follow");
}

/// In how many sessions the replica is behind what clients were told.
async fn lost_rotations(cluster: &RecordedCluster, replica: &PrivateRedis) -> usize {
    let mut raw = shared::raw(&replica.url()).await;
    let mut lost = 0;
    for event in cluster.instances.history.events() {
        let (Call::Refresh(_), Answer::Issued(token)) = (&event.call, &event.answer) else { continue };
        let mark = Mark::of(token);
        let key = format!("{}s:{}", cluster.server().config.redis.key_prefix, mark.session);
        let record: Option<String> = cmd("GET").arg(key).query_async(&mut raw).await.unwrap();
        let number = record.and_then(|record| record.split(' ').next()?.parse::<u64>().ok());
        lost += usize::from(number.is_some_and(|number| number < mark.number));
    }
    lost
}
