//! The direct token API.

use std::time::Duration;

use crate::house::{USER, claims, header, on_each_backend, pair};

#[actix_web::test]
async fn a_name_and_a_password_get_a_pair_that_a_simplejwt_service_understands() {
    on_each_backend(async |house| {
        let answer = house.obtain(USER).await;

        let pair = pair(&answer);
        let access = claims(&pair.access);
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(header(&pair.access)["typ"], "at+jwt");
        assert_eq!(access["token_type"], "access");
        assert_eq!(access["user_id"], access["sub"]);
        assert_eq!(access["client_id"], "direct");
        assert_eq!(access["iss"], house.config.issuer);
        assert_eq!(access["aud"], house.config.issuer);
        assert_eq!(access["exp"].as_i64().unwrap() - access["iat"].as_i64().unwrap(), 300);
        assert!(access["jti"].is_string());
    })
    .await;
}

#[actix_web::test]
async fn a_double_click_gets_the_same_successor_byte_for_byte() {
    on_each_backend(async |house| {
        let first = house.pair().await;

        let one = pair(&house.refresh(&first.refresh).await);
        let two = pair(&house.refresh(&first.refresh).await);

        assert_eq!(one.refresh, two.refresh);
        assert_ne!(one.access, two.access);
        assert_ne!(one.refresh, first.refresh);
    })
    .await;
}

#[actix_web::test]
async fn a_replayed_refresh_token_ends_its_session() {
    on_each_backend(async |house| {
        let first = house.pair().await;
        let second = pair(&house.refresh(&first.refresh).await);
        let third = pair(&house.refresh(&second.refresh).await);
        house.age_record(house.session_of(&first.refresh), Duration::from_secs(31)).await;

        let replay = house.refresh(&first.refresh).await;

        assert_eq!(replay.status, 401, "{}", replay.text);
        assert_eq!(replay.body["code"], "token_not_valid");
        assert_eq!(house.refresh(&third.refresh).await.status, 401);
        assert_eq!(house.verify(&third.access).await.status, 401);
        assert_eq!(house.count_events("refresh_reused").await, 1);
    })
    .await;
}
