//! Ending sessions while Redis is away: the database has the end, the answer says what is still to come, and nothing
//! that was ended comes back with Redis.

use std::time::Duration;

use serde_json::json;
use tokenhouse::model::RotationState;
use tokenhouse::protocol::GrantType;

use super::{AdminClient, begin};
use crate::support::private_redis::PrivateRedis;
use crate::test_server::{Backend, TestServer, USER, claims};

#[actix_web::test]
async fn what_is_ended_while_redis_is_away_is_pending_and_dead_when_it_is_back() {
    if crate::support::only_sqlite() {
        return;
    }
    let Some(mut redis) = PrivateRedis::start(&[]) else { return };
    let server = server(&redis).await;
    let second = server.second_instance(server.clock.clone()).await;
    let admin_api = AdminClient::of(&server).await;
    let (shop, secret) = server.add_client("shop", &[GrantType::RefreshToken], "read").await;
    server.add_client("bank", &[GrantType::RefreshToken], "read").await;
    let bob = admin_api.add_user("bob", "a long enough one").await;
    let eve = admin_api.add_user("eve", "a long enough one").await;
    let [live, deleted, revoked, blacklisted] =
        [server.pair().await, server.pair().await, server.pair().await, server.pair().await];
    let bobs = crate::test_server::pair(&server.obtain(("bob", "a long enough one")).await);
    let eves = crate::test_server::pair(&server.obtain(("eve", "a long enough one")).await);
    let shops = begin(&server, &server.user().await, &shop, "read", &[&server.config.issuer]).await;
    let sid = |token: &str| claims(token)["sid"].as_str().unwrap().to_owned();

    redis.kill();

    let gone = admin_api.delete(&format!("/admin/v1/sessions/{}", sid(&deleted.access))).await;
    assert_eq!((gone.status, gone.text.as_str()), (202, r#"{"applied":"pending"}"#));
    let receipt = admin_api.post("/admin/v1/revocations", &json!({ "session": sid(&revoked.access) })).await;
    assert_eq!((receipt.status, receipt.body["applied"].as_str()), (202, Some("pending")), "{}", receipt.text);
    assert_eq!(receipt.body["sessions_ended"], 1);
    assert_eq!(admin_api.post(&format!("/admin/v1/users/{bob}/disable"), &json!({})).await.status, 202);
    assert_eq!(admin_api.delete(&format!("/admin/v1/users/{eve}")).await.status, 202);
    let black = server.post("/api/token/blacklist/", &[("refresh", &blacklisted.refresh)]).await;
    assert_eq!(black.status, 503, "{}", black.text);
    assert!(black.headers.contains_key("retry-after"));
    let oauth = server.post_as("shop", &secret, "/oauth2/revoke", &[("token", &shops.refresh)]).await;
    assert_eq!(oauth.status, 503, "{}", oauth.text);
    assert!(oauth.headers.contains_key("retry-after"));
    assert_eq!(server.refresh(&live.refresh).await.status, 503);
    assert_eq!(admin_api.delete("/admin/v1/clients/bank").await.status, 200, "it had no session: nothing is pending");

    redis.launch();

    let alive = wait_until_refreshed(&server, &live.refresh).await;
    for token in [&deleted, &revoked, &blacklisted, &bobs, &eves].map(|pair| &pair.refresh) {
        let refused = server.refresh(token).await;
        assert_eq!(refused.status, 401, "{}", refused.text);
        let there = server.http.post(format!("http://{}/api/token/refresh/", second.address));
        let refused = crate::test_server::read(there.form(&[("refresh", token)])).await;
        assert!([401, 503].contains(&refused.status), "{}", refused.text);
        let kept = server.ctx().store.ephemeral.load(server.session_of(token)).await.unwrap().0;
        assert!(matches!(kept, RotationState::Ended), "{kept:?}");
    }
    let form = [("grant_type", "refresh_token"), ("refresh_token", shops.refresh.as_str())];
    assert_eq!(server.post_as("shop", &secret, "/oauth2/token", &form).await.status, 400);
    assert_eq!(server.refresh(&alive).await.status, 200, "no other user was signed out");
    assert_eq!(server.post("/api/token/blacklist/", &[("refresh", &blacklisted.refresh)]).await.status, 200);
    assert_eq!(server.obtain(USER).await.status, 200);
    second.stop().await;
    server.close().await;
}

async fn server(redis: &PrivateRedis) -> TestServer {
    let url = redis.url();
    let settings = |config: &mut tokenhouse::config::Config| {
        config.redis.url = Some(tokenhouse::model::Secret::new(url.clone()));
    };
    TestServer::open(Backend::Embedded, &settings).await
}

/// The ephemeral store opens as soon as recent ends have been written to it again.
async fn wait_until_refreshed(server: &TestServer, token: &str) -> String {
    for _ in 0..200 {
        let answer = server.refresh(token).await;
        if answer.status == 200 {
            return answer.body["refresh"].as_str().unwrap().to_owned();
        }
        assert_eq!(answer.status, 503, "{}", answer.text);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("refreshes are not answered although Redis is back");
}
