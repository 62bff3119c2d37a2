//! Rows 22 and 23: an instance that is told to stop, and one that stands still in the middle of a refresh.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use test_support::cluster::Cluster;
use test_support::installation::Installation;
use tokenhouse::config;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::checks::{self, Allowed, Silence, Writes};
use crate::clients::Instances;
use crate::history::Answer;
use crate::process::Process;
use crate::proxy::{Proxy, Way};
use crate::recorded_cluster::reused;
use crate::server::{Backend, USER, backends};
use crate::settings::{pass, port_of, redis_by};
use crate::support::only_sqlite;
use crate::times;

/// Clients that keep their connections.
const CLIENTS: usize = 12;

#[actix_web::test]
async fn an_instance_told_to_stop_says_so_first_and_answers_every_request_that_reached_it() {
    for backend in backends() {
        let mut installation = Installation::for_processes(backend).await;
        installation.config.shutdown.announce = config::Duration::seconds(1);
        installation.config.shutdown.drain = config::Duration::seconds(10);
        let mut process = Process::start(&installation, "leaving.log").await;
        let mut clients = JoinSet::new();
        for position in 0..CLIENTS {
            clients.spawn(stay(process.address, position));
        }
        pass(1_000).await;

        process.signal("TERM");
        let mut is_ready = true;
        for _ in 0..40 {
            is_ready = process.is_ready().await;
            if !is_ready {
                break;
            }
            pass(10).await;
        }
        let late = reqwest::get(format!("http://{}/.well-known/jwks.json", process.address)).await;
        let status = process.ended(Duration::from_secs(15)).await;

        assert!(!is_ready, "readiness goes first");
        assert!(late.is_ok_and(|late| late.status() == 200), "who comes before the word has spread is still served");
        let ends: Vec<End> = clients.join_all().await;
        for end in &ends {
            assert!(matches!(end, End::ToldToLeave), "{ends:?}\n{}", process.read_log());
        }
        assert!(status.is_some_and(|status| status.success()), "{status:?}: it did not end by itself in time");
        installation.remove().await;
    }
}

/// How a client's connection ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// `Connection: close` came with an answer.
    ToldToLeave,
    /// The connection broke, or was closed without an answer to a request.
    Broken(String),
    /// Another answer than 200.
    Wrong(u16),
}

/// A client that sends the next request on its connection as soon as it has the last answer.
async fn stay(address: SocketAddr, position: usize) -> End {
    match walk(address, position).await {
        Ok(end) => end,
        Err(error) => End::Broken(error.to_string()),
    }
}

async fn walk(address: SocketAddr, position: usize) -> std::io::Result<End> {
    let mut connection = TcpStream::connect(address).await?;
    let (username, password) = USER;
    let sign_in = json!({ "username": username, "password": password });
    let mut token = None;
    loop {
        // Every third client signs in again and again: these are the requests that take long.
        let (path, body) = match token.take().filter(|_| !position.is_multiple_of(3)) {
            Some(token) => ("/api/token/refresh/", json!({ "refresh": token })),
            None => ("/api/token/", sign_in.clone()),
        };
        let (status, body, is_last) = exchange(&mut connection, path, &body).await?;
        if status != 200 {
            return Ok(End::Wrong(status));
        }
        if is_last {
            return Ok(End::ToldToLeave);
        }
        token = body["refresh"].as_str().map(str::to_owned);
    }
}

/// One request by HTTP/1.1 (RFC 9112). Its status, its body, and whether the connection is to be closed.
async fn exchange(connection: &mut TcpStream, path: &str, body: &Value) -> std::io::Result<(u16, Value, bool)> {
    let body = body.to_string();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: server\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    connection.write_all((head + &body).as_bytes()).await?;
    let mut answer = Vec::new();
    loop {
        let mut piece = [0; 8192];
        let length = connection.read(&mut piece).await?;
        if length == 0 {
            return Err(std::io::Error::other("closed without an answer"));
        }
        answer.extend_from_slice(&piece[..length]);
        let text = String::from_utf8_lossy(&answer).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = head.to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        if length.is_some_and(|length| body.len() >= length) {
            let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
            let body = serde_json::from_str(body).unwrap_or_default();
            return Ok((status, body, head.lines().any(|line| line == "connection: close")));
        }
    }
}

#[actix_web::test]
async fn an_instance_that_stood_still_in_mid_refresh_hands_out_nothing_of_a_session_ended_meanwhile() {
    if only_sqlite() {
        return;
    }
    let installation = Installation::for_processes(Backend::Servers).await;
    let proxy = Proxy::to_port(port_of(installation.config.redis.url.as_ref().unwrap().expose()));
    let cluster = Cluster::of_processes(installation, |config, instance| {
        if instance == 1 {
            redis_by(config, proxy.port());
            config.redis.command_timeout = config::Duration::seconds(5);
        }
    })
    .await;
    let sleeper = &cluster.instances[1];
    let instances = Instances::of(&cluster.addresses());
    for _ in 0..times(2, 20) {
        let token = instances.sessions(1).await.remove(0);

        proxy.set(Way::HoldAnswers);
        let refreshing = instances.clone();
        let (asked, refreshing) = (token.clone(), refreshing);
        let answer = tokio::spawn(async move { refreshing.refresh(1, &asked).await });
        pass(150).await;
        sleeper.signal("STOP");
        proxy.set(Way::Pass);
        assert_eq!(instances.end(0, &token).await, Answer::Good);
        pass(1_500).await;
        sleeper.signal("CONT");
        let answer = answer.await.unwrap();

        assert!(matches!(answer, Answer::Refused | Answer::Away(Some(_))), "{answer:?}");
        for at in 0..instances.count() {
            assert!(!matches!(instances.refresh(at, &token).await, Answer::Issued(_)));
            assert_ne!(instances.introspect(at, &token).await, Answer::Good);
        }
        // The instance that stood still is served by Redis again before the next round.
        let other = instances.sessions(1).await.remove(0);
        instances.next(&other).await;
    }
    let ctx = cluster.installation.open().await;
    let allowed = Allowed { writes: Writes::Kept, silence: Silence::Never };
    checks::assert_all(&instances.history, allowed, &reused(&ctx.store.database).await);
    ctx.store.database.close().await;
    cluster.close().await;
}
