//! Rows 14 and 15 at the level of the program: broken key files refuse the start with the file and the fix; two
//! instances rotate their keys at once. (The keyring's own tests, `tests/keyring`, go further into both.)

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use test_support::installation::{Installation, a_master_key};
use test_support::pem::p256;
use tokenhouse::clock::Timestamp;
use tokenhouse::config;
use tokenhouse_verifier::{KeySet, Verifier};

use crate::process::command;
use crate::recorded_cluster::RecordedCluster;
use crate::server::{ADMIN, Backend, backends, pair, read};
use crate::times;

/// How one of the twelve is broken, and what the message must say.
struct Broken {
    file: &'static str,
    text: Option<String>,
    mode: u32,
    says: &'static str,
}

fn twelve() -> Vec<Broken> {
    let master = a_master_key();
    let master = master.expose();
    let pem = p256();
    let broken = |file, text: &str, mode, says| Broken { file, text: Some(text.to_owned()), mode, says };
    vec![
        Broken { file: "master.key", text: None, mode: 0, says: "restore it from a backup" },
        broken("master.key", "", 0o600, "is empty: restore it"),
        broken("master.key", &master[..20], 0o600, "is it cut off?"),
        broken("master.key", "not base64!", 0o600, "is not base64"),
        broken("master.key", master, 0o644, "run `chmod 600 "),
        broken("master.key", master, 0o600, "is not the one that the database is sealed under"),
        broken("mine.pem", "", 0o600, "is empty"),
        broken("mine.pem", &pem[..100], 0o600, "only half of one"),
        broken("mine.pem", &pem, 0o644, "run `chmod 600 "),
        broken("mine.pem", &pem.replace("PRIVATE KEY", "CERTIFICATE"), 0o600, "where a private key is expected"),
        broken("mine.pem", &format!("{pem}{pem}"), 0o600, "more than one PEM block"),
        broken("mine.pem", &pem.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"), 0o600, "decrypt it first"),
    ]
}

#[actix_web::test]
async fn twelve_broken_key_files_refuse_the_start_with_the_file_and_the_fix() {
    let mut installation = Installation::for_processes(Backend::Embedded).await;
    let good = installation.config.keys.master_key.take().unwrap();
    let folder = installation.config.keys.folder.clone();
    std::fs::create_dir_all(&folder).unwrap();
    for broken in twelve() {
        put(&folder.join("master.key"), good.expose(), 0o600);
        let file = folder.join(broken.file);
        match &broken.text {
            Some(text) => put(&file, text, broken.mode),
            None => std::fs::remove_file(&file).unwrap(),
        }

        let mut serve = command(&installation.config);
        serve.arg("serve").env("TOKENHOUSE_LISTEN", "127.0.0.1:0").env("TOKENHOUSE_OPS_LISTEN", "127.0.0.1:0");
        let output = serve.output().unwrap();

        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{} started: {said}", broken.says);
        assert!(said.contains(file.to_str().unwrap()) && said.contains(broken.says), "{}: {said}", broken.says);
        let _ = std::fs::remove_file(&file);
    }
    installation.remove().await;
}

fn put(path: &Path, text: &str, mode: u32) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// How long verifiers keep the JWKS, and how long a next key is published before it signs.
const MAX_AGE: Duration = Duration::from_mins(1);
const RIPE: Duration = Duration::from_mins(2);

#[actix_web::test]
async fn two_instances_that_rotate_at_once_sign_nothing_that_an_old_jwks_does_not_verify() {
    for backend in backends() {
        let cluster = RecordedCluster::open(backend, |config, _| {
            config.keys.jwks_max_age = config::Duration::minutes(1);
            config.keys.rotate_every = config::Duration::days(30);
        })
        .await;
        let bases = [cluster.server().running.address, cluster.other().running.address]
            .map(|address| format!("http://{address}"));
        let (mut fetched, mut signed) = (Vec::<(Timestamp, KeySet)>::new(), Vec::new());
        for round in 0..times(5, 100) {
            // The two read the change feed by the system's clock, and hear of the last rotation before the next.
            let admin = sign_in(&cluster, &bases[round % 2]).await;
            let (one, other) = tokio::join!(rotate(&cluster, &bases[0], &admin), rotate(&cluster, &bases[1], &admin));
            assert!([one, other].iter().all(|status| matches!(status, 200 | 409)), "{one} {other}");
            assert!(round == 0 || one == 200 || other == 200, "a ripe key did not take over");
            for ctx in [cluster.ctx(), &cluster.other().running.ctx] {
                ctx.keys.reload().await.unwrap();
            }
            for step in 0..2 {
                for base in &bases {
                    let now = cluster.server().clock.now();
                    signed.push((now, sign_in(&cluster, base).await));
                    let jwks = cluster.server().http.get(format!("{base}/.well-known/jwks.json"));
                    fetched.push((now, KeySet::from_jwks(&read(jwks).await.text).unwrap()));
                }
                judge(&cluster, &mut fetched, &mut signed);
                let wait = if step == 0 { MAX_AGE } else { RIPE.checked_sub(MAX_AGE).unwrap() };
                cluster.server().clock.advance(wait);
            }
        }
        cluster.close().await;
    }
}

/// Every verifier that keeps its JWKS no longer than it may accepts every token that has not expired.
fn judge(cluster: &RecordedCluster, fetched: &mut Vec<(Timestamp, KeySet)>, signed: &mut Vec<(Timestamp, String)>) {
    let now = cluster.server().clock.now();
    fetched.retain(|(at, _)| now.since(*at) <= MAX_AGE);
    signed.retain(|(at, _)| now.since(*at) < Duration::from_mins(5));
    let verifier = Verifier::dangerous_any_audience(cluster.server().config.issuer.clone());
    for (at, keys) in fetched {
        for (signed_at, token) in &*signed {
            assert!(verifier.verify(token, keys, now.seconds()).is_ok(), "signed {signed_at}, fetched {at}, now {now}");
        }
    }
}

async fn sign_in(cluster: &RecordedCluster, base: &str) -> String {
    let (username, password) = ADMIN;
    let body = json!({ "username": username, "password": password, "scope": "tokenhouse:admin" });
    pair(&read(cluster.server().http.post(format!("{base}/api/token/")).json(&body)).await).access
}

async fn rotate(cluster: &RecordedCluster, base: &str, admin: &str) -> u16 {
    let request = cluster.server().http.request(Method::POST, format!("{base}/admin/v1/keys/rotate"));
    read(request.bearer_auth(admin).json(&json!({ "now": false }))).await.status
}
