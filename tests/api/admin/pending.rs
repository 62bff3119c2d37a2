//! Ending sessions while Redis is away: the database has the end, the answer says what is still to come, and nothing
//! that was ended comes back with Redis.

use std::time::Duration;

use serde_json::json;
use tokenhouse::model::RotationState;
use tokenhouse::protocol::GrantType;

use super::{Desk, begin};
use crate::house::{Backend, House, USER, claims};
use crate::support::private_redis::PrivateRedis;

#[actix_web::test]
async fn what_is_ended_while_redis_is_away_is_pending_and_dead_when_it_is_back() {
    if crate::support::only_sqlite() {
        return;
    }
    let Some(mut redis) = PrivateRedis::start(&[]) else { return };
    let house = house(&redis).await;
    let second = house.second_instance(house.clock.clone()).await;
    let desk = Desk::of(&house).await;
    let (shop, secret) = house.add_client("shop", &[GrantType::RefreshToken], "read").await;
    house.add_client("bank", &[GrantType::RefreshToken], "read").await;
    let bob = desk.add_user("bob", "a long enough one").await;
    let eve = desk.add_user("eve", "a long enough one").await;
    let [live, deleted, revoked, blacklisted] =
        [house.pair().await, house.pair().await, house.pair().await, house.pair().await];
    let bobs = crate::house::pair(&house.obtain(("bob", "a long enough one")).await);
    let eves = crate::house::pair(&house.obtain(("eve", "a long enough one")).await);
    let shops = begin(&house, &house.user().await, &shop, "read", &[&house.config.issuer]).await;
    let sid = |token: &str| claims(token)["sid"].as_str().unwrap().to_owned();

    redis.kill();

    let gone = desk.delete(&format!("/admin/v1/sessions/{}", sid(&deleted.access))).await;
    assert_eq!((gone.status, gone.text.as_str()), (202, r#"{"applied":"pending"}"#));
    let receipt = desk.post("/admin/v1/revocations", &json!({ "session": sid(&revoked.access) })).await;
    assert_eq!((receipt.status, receipt.body["applied"].as_str()), (202, Some("pending")), "{}", receipt.text);
    assert_eq!(receipt.body["sessions_ended"], 1);
    assert_eq!(desk.post(&format!("/admin/v1/users/{bob}/disable"), &json!({})).await.status, 202);
    assert_eq!(desk.delete(&format!("/admin/v1/users/{eve}")).await.status, 202);
    let black = house.post("/api/token/blacklist/", &[("refresh", &blacklisted.refresh)]).await;
    assert_eq!(black.status, 503, "{}", black.text);
    assert!(black.headers.contains_key("retry-after"));
    let oauth = house.post_as("shop", &secret, "/oauth2/revoke", &[("token", &shops.refresh)]).await;
    assert_eq!(oauth.status, 503, "{}", oauth.text);
    assert!(oauth.headers.contains_key("retry-after"));
    assert_eq!(house.refresh(&live.refresh).await.status, 503);
    assert_eq!(desk.delete("/admin/v1/clients/bank").await.status, 200, "it had no session: nothing is pending");

    redis.launch();

    let alive = wait_until_refreshed(&house, &live.refresh).await;
    for token in [&deleted, &revoked, &blacklisted, &bobs, &eves].map(|pair| &pair.refresh) {
        let refused = house.refresh(token).await;
        assert_eq!(refused.status, 401, "{}", refused.text);
        let there = house.http.post(format!("http://{}/api/token/refresh/", second.address));
        let refused = crate::house::read(there.form(&[("refresh", token)])).await;
        assert!([401, 503].contains(&refused.status), "{}", refused.text);
        let kept = house.ctx().store.ephemeral.load(house.session_of(token)).await.unwrap().0;
        assert!(matches!(kept, RotationState::Ended), "{kept:?}");
    }
    let form = [("grant_type", "refresh_token"), ("refresh_token", shops.refresh.as_str())];
    assert_eq!(house.post_as("shop", &secret, "/oauth2/token", &form).await.status, 400);
    assert_eq!(house.refresh(&alive).await.status, 200, "nobody else was signed out");
    assert_eq!(house.post("/api/token/blacklist/", &[("refresh", &blacklisted.refresh)]).await.status, 200);
    assert_eq!(house.obtain(USER).await.status, 200);
    second.stop().await;
    house.close().await;
}

async fn house(redis: &PrivateRedis) -> House {
    let url = redis.url();
    let settings = |config: &mut tokenhouse::config::Config| {
        config.redis.url = Some(tokenhouse::model::Secret::new(url.clone()));
    };
    House::open(Backend::Embedded, &settings).await
}

/// The ephemeral store opens as soon as recent ends have been written to it again.
async fn wait_until_refreshed(house: &House, token: &str) -> String {
    for _ in 0..200 {
        let answer = house.refresh(token).await;
        if answer.status == 200 {
            return answer.body["refresh"].as_str().unwrap().to_owned();
        }
        assert_eq!(answer.status, 503, "{}", answer.text);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("refreshes are not answered although Redis is back");
}
