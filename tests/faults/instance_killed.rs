//! Row 9: an instance is killed at any moment: in the middle of a sign-in, a rotation, an end, a rotation of the keys.

use reqwest::Method;
use serde_json::json;
use test_support::cluster::Cluster;
use test_support::installation::Installation;
use tokenhouse::clock::Random;

use crate::checks::{self, Allowed, Silence, Writes};
use crate::clients::{Instances, LoadClients};
use crate::history::Answer;
use crate::process::Process;
use crate::recorded_cluster::reused;
use crate::server::{ADMIN, backends};
use crate::settings::pass;
use crate::times;

/// Connections break, and nothing else.
const KILLED: Allowed = Allowed { writes: Writes::Kept, silence: Silence::Allowed };

#[actix_web::test]
async fn an_instance_killed_at_random_moments_signs_no_user_out_and_brings_nothing_back() {
    for backend in backends() {
        let mut cluster = Cluster::of_processes(Installation::for_processes(backend).await, |_, _| {}).await;
        let instances = Instances::of(&cluster.addresses());
        let tokens = instances.sessions(4).await;
        let admin = admin_token(&cluster.instances[0]).await;
        let mut load = LoadClients::at(&instances);
        load.walk(&tokens);

        let mut ended = Vec::new();
        for round in 0..times(5, 250) {
            let busy = tokio::spawn(be_busy(instances.clone()));
            let rotating = tokio::spawn(rotate_keys(format!("http://{}", cluster.instances[0].address), admin.clone()));
            pass(40 + u64::from(Random::default().bytes::<1>()[0])).await;
            cluster.instances[0].kill();
            rotating.await.unwrap();
            cluster.instances[0].launch().await;
            ended.extend(busy.await.unwrap());
            if let Some(token) = ended.last().filter(|_| round < 3) {
                load.keep_using(token);
            }
            // Signed before the kill; it is good until it expires, however often the keys were rotated.
            assert_eq!(instances.introspect(0, &admin).await, Answer::Good);
        }
        let current = load.leave().await;

        assert_eq!(current.len(), tokens.len());
        assert!(instances.history.count(|event| event.answer == Answer::Silent) > 0, "nothing was interrupted");
        for token in &ended {
            for at in 0..instances.count() {
                instances.refresh(at, token).await;
            }
        }
        assert_eq!(instances.steal(0, &tokens[0]).await, Answer::Refused);
        let ctx = cluster.installation.open().await;
        checks::assert_all(&instances.history, KILLED, &reused(&ctx.store.database).await);
        ctx.store.database.close().await;
        cluster.close().await;
    }
}

/// Signs in, refreshes and signs out, until it gets no answer. The tokens whose end was acknowledged.
async fn be_busy(instances: Instances) -> Vec<String> {
    let mut ended = Vec::new();
    loop {
        let Answer::Issued(token) = instances.sign_in(0).await else { return ended };
        let Answer::Issued(next) = instances.refresh(0, &token).await else {
            return give_up(&instances, token, ended).await;
        };
        match instances.end(0, &next).await {
            Answer::Good => ended.push(next),
            _ => return give_up(&instances, next, ended).await,
        }
    }
}

/// A client that leaves in the middle says so, or the check would wait for it.
async fn give_up(instances: &Instances, token: String, mut ended: Vec<String>) -> Vec<String> {
    instances.end_at_last(&token).await;
    ended.push(token);
    ended
}

async fn rotate_keys(base: String, admin: String) {
    let http = reqwest::Client::new();
    loop {
        let rotate = http.request(Method::POST, format!("{base}/admin/v1/keys/rotate")).bearer_auth(&admin);
        match rotate.json(&json!({ "now": true })).send().await {
            Ok(answer) => assert!(matches!(answer.status().as_u16(), 200 | 503), "{}", answer.status()),
            Err(_) => return,
        }
        pass(30).await;
    }
}

async fn admin_token(process: &Process) -> String {
    let (username, password) = ADMIN;
    let body = json!({ "username": username, "password": password, "scope": "tokenhouse:admin" });
    let request = reqwest::Client::new().post(format!("http://{}/api/token/", process.address)).json(&body);
    crate::server::pair(&crate::server::read(request).await).access
}
