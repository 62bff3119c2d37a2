//! Status lists on several instances, and through restarts.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::Method;
use tokenhouse::clock::{Clock, Stopwatch};
use tokenhouse::config;
use tokenhouse::protocol::GrantType;

use super::{ask, first, index, indexes, list, revoked};
use crate::quiet_instance::QuietInstance;
use crate::test_server::{Backend, TestServer, backends, on_each_backend, read};

/// Waits until an instance says that the token was revoked.
pub async fn until_revoked(server: &TestServer, address: SocketAddr, access: &str) {
    let index = index(access).1;
    let seen = async {
        while !list(server, address, &first(server)).await.revoked().contains(&index) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), seen).await.unwrap();
}

async fn blacklist(server: &TestServer, refresh: &str) {
    assert_eq!(server.blacklist(refresh).await.status, 200);
}

#[actix_web::test]
async fn other_instances_learn_of_an_end_from_the_feed() {
    on_each_backend(async |server| {
        let other = server.second_instance(Clock::system()).await;
        let (ended, _live) = (server.pair().await, server.pair().await);

        blacklist(server, &ended.refresh).await;
        until_revoked(server, other.address, &ended.access).await;
        let there = list(server, other.address, &first(server)).await;
        assert_eq!(there.revoked(), indexes([&ended.access]));
        other.stop().await;
    })
    .await;
}

#[actix_web::test]
async fn on_postgres_other_instances_learn_of_an_end_at_once() {
    if !backends().contains(&Backend::Servers) {
        return;
    }
    let server = TestServer::open(Backend::Servers, &|_| {}).await;
    let other = server.second_instance(Clock::system()).await;
    let watch = Stopwatch::start();
    for _ in 0..10 {
        let ended = server.pair().await;
        blacklist(&server, &ended.refresh).await;
        until_revoked(&server, other.address, &ended.access).await;
    }

    // Each begins just after the feed was read, and would wait for a second if nothing was heard.
    assert!(watch.elapsed() < Duration::from_secs(6), "{:?}", watch.elapsed());
    other.stop().await;
    server.close().await;
}

#[actix_web::test]
async fn a_restart_keeps_the_bits_and_a_shorter_life_of_tokens_takes_none_back() {
    for backend in backends() {
        let server =
            TestServer::open(backend, &|config| config.tokens.access_lifetime = config::Duration::seconds(3600)).await;
        let ended = server.pair().await;
        blacklist(&server, &ended.refresh).await;

        let mut server = server.restart().await;
        assert_eq!(revoked(&server).await, indexes([&ended.access]));
        server.config.tokens.access_lifetime = config::Duration::seconds(60);
        let server = server.restart().await;
        let hour = Duration::from_hours(1);
        server.later(hour).await;
        server.ctx().status_lists.prune(server.ctx().now());
        assert_eq!(soon_revoked(&server).await, indexes([&ended.access]), "a token of the longer life may be alive");
        server.later(Duration::from_mins(2)).await;
        server.ctx().status_lists.prune(server.ctx().now());
        assert!(soon_revoked(&server).await.is_empty(), "none is");
        server.close().await;
    }
}

/// Once the instance has read its feed after the clock was moved.
pub async fn soon_revoked(server: &TestServer) -> std::collections::BTreeSet<u64> {
    while ask(server, server.running.address, &first(server)).await.status == 503 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    revoked(server).await
}

#[actix_web::test]
async fn an_instance_that_reads_no_feed_vouches_for_nothing() {
    for backend in backends() {
        let server = TestServer::open(backend, &|_| {}).await;
        let quiet = QuietInstance::open(&server).await;

        let answer = ask(&server, quiet.address, &first(&server)).await;
        assert_eq!(answer.status, 503);
        assert_eq!(answer.headers["retry-after"], "1");
        quiet.stop().await;
        server.close().await;
    }
}

#[actix_web::test]
async fn an_instance_that_reads_no_feed_gives_clients_no_tokens_of_their_own() {
    on_each_backend(async |server| {
        let (_, secret) = server.add_client("worker", &[GrantType::ClientCredentials], "read").await;
        let quiet = QuietInstance::open(server).await;
        let form = [("grant_type", "client_credentials")];
        let request = || server.request_to(quiet.address, Method::POST, "/oauth2/token");
        let ask = async || read(request().basic_auth("worker", Some(&secret)).form(&form)).await;

        let refused = ask().await;
        assert_eq!((refused.status, &refused.headers["retry-after"]), (503, &"1".parse().unwrap()));
        tokenhouse::app::upkeep::catch_up(&quiet.ctx).await.unwrap();
        assert_eq!(ask().await.status, 200);
        quiet.stop().await;
    })
    .await;
}

#[actix_web::test]
async fn a_restart_keeps_the_bits_of_tokens_that_live_longer_than_refresh_tokens() {
    for backend in backends() {
        let server = TestServer::open(backend, &|config| {
            config.tokens.access_lifetime = config::Duration::seconds(6 * 3600);
            config.tokens.refresh_lifetime = config::Duration::seconds(3600);
            config.tokens.refresh_lifetime_limit = config::Duration::seconds(3600);
        })
        .await;
        let ended = server.pair().await;
        blacklist(&server, &ended.refresh).await;
        server.later(Duration::from_hours(2)).await;

        let server = server.restart().await;
        assert_eq!(soon_revoked(&server).await, indexes([&ended.access]));
        server.close().await;
    }
}

#[actix_web::test]
async fn a_cut_off_instance_serves_its_last_list_until_that_expires() {
    on_each_backend(async |server| {
        let quiet = QuietInstance::open(server).await;
        tokenhouse::app::upkeep::catch_up(&quiet.ctx).await.unwrap();
        let last = list(server, quiet.address, &first(server)).await.claims;
        blacklist(server, &server.pair().await.refresh).await;

        server.clock.advance(Duration::from_secs(58));
        assert_eq!(list(server, quiet.address, &first(server)).await.claims, last);
        server.clock.advance(Duration::from_secs(2));
        assert_eq!(ask(server, quiet.address, &first(server)).await.status, 503);
        quiet.stop().await;
    })
    .await;
}

#[actix_web::test]
async fn a_redis_that_was_emptied_takes_no_bit_back() {
    on_each_backend(async |server| {
        let ended = server.pair().await;
        blacklist(server, &ended.refresh).await;
        server.lose_record(server.session_of(&ended.refresh)).await;

        let other = server.second_instance(Clock::system()).await;
        for address in [server.running.address, other.address] {
            assert_eq!(list(server, address, &first(server)).await.revoked(), indexes([&ended.access]));
        }
        other.stop().await;
    })
    .await;
}

#[actix_web::test]
async fn indexes_that_were_leased_a_day_ago_are_not_given_out() {
    on_each_backend(async |server| {
        let (early, soon) = (server.pair().await, server.pair().await);
        assert_eq!(index(&soon.access).1, index(&early.access).1 + 1);

        server.later(Duration::from_hours(24)).await;
        let late = server.pair().await;
        assert!(index(&late.access).1 > index(&early.access).1 + 1000, "of a new lease");
    })
    .await;
}
