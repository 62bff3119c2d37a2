//! The keyring through the admin API.

use std::time::Duration;

use serde_json::{Value, json};

use super::{AdminClient, assert_problem};
use crate::test_server::{header, on_each_backend};

#[actix_web::test]
async fn an_unripe_key_signs_only_when_it_is_said() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let before = admin_api.get("/admin/v1/keys").await;
        let next = in_state(&before.body, "next");

        let unripe = admin_api.post("/admin/v1/keys/rotate", &json!({})).await;

        assert_problem(&unripe, 409);
        let ripe_at = before.body["items"].as_array().unwrap().iter().find_map(|key| key["ripe_at"].as_str()).unwrap();
        assert!(unripe.body["detail"].as_str().unwrap().contains(ripe_at), "{}", unripe.text);
        assert_eq!(admin_api.get("/admin/v1/keys").await.body, before.body, "nothing was rotated");
        let rotated = admin_api.post("/admin/v1/keys/rotate", &json!({ "now": true })).await;
        assert_eq!(rotated.status, 200, "{}", rotated.text);
        assert_eq!(in_state(&rotated.body, "active"), next);
        assert_eq!(header(&server.pair().await.access)["kid"], next[0].as_str());
        assert_eq!(server.count_events("key_activated").await, 2);
        assert_eq!(server.count_events("key_retired").await, 1);
    })
    .await;
}

#[actix_web::test]
async fn a_ripe_key_signs_and_what_the_previous_signed_stays_good() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        server.clock.advance(Duration::from_mins(6));
        let old = server.pair().await;

        let admin_api = AdminClient { server: admin_api.server, token: server.admin_token().await };
        let rotated = admin_api.post("/admin/v1/keys/rotate", &Value::Object(serde_json::Map::new())).await;

        assert_eq!(rotated.status, 200, "{}", rotated.text);
        let new = server.pair().await;
        assert_ne!(header(&old.access)["kid"], header(&new.access)["kid"]);
        for pair in [&old, &new] {
            assert_eq!(server.verify(&pair.access).await.status, 200);
        }
        assert_problem(&admin_api.post("/admin/v1/keys/rotate", &json!({})).await, 409);
    })
    .await;
}

#[actix_web::test]
async fn a_removed_key_is_out_of_the_jwks_and_its_tokens_are_refused() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let token = server.pair().await.access;
        let kid = header(&token)["kid"].as_str().unwrap().to_owned();

        let removed = admin_api.delete(&format!("/admin/v1/keys/{kid}")).await;

        assert_eq!((removed.status, removed.body["removed"].as_str()), (200, Some(kid.as_str())), "{}", removed.text);
        assert!(removed.body["refused_by"].is_string());
        let jwks = server.get("/.well-known/jwks.json").await;
        assert!(!jwks.text.contains(&kid));
        assert_eq!(server.verify(&token).await.status, 401);
        assert_problem(&admin_api.get("/admin/v1/keys").await, 401);
        let admin_api = AdminClient::of(server).await;
        assert_eq!(server.verify(&server.pair().await.access).await.status, 200, "another key signs");
        assert_eq!(in_state(&admin_api.get("/admin/v1/keys").await.body, "removed"), [kid.as_str()]);
        assert_problem(&admin_api.delete(&format!("/admin/v1/keys/{kid}")).await, 404);
        for nothing in ["nobody", "%00", "'%20or%201=1"] {
            assert_problem(&admin_api.delete(&format!("/admin/v1/keys/{nothing}")).await, 404);
        }
        assert_eq!(server.count_events("key_removed").await, 1);
    })
    .await;
}

#[actix_web::test]
async fn keys_are_listed_without_what_is_secret() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;

        let listed = admin_api.get("/admin/v1/keys").await;

        for key in listed.body["items"].as_array().unwrap() {
            let names: Vec<&str> = key.as_object().unwrap().keys().map(String::as_str).collect();
            let mut expected =
                ["kid", "algorithm", "state", "published_at", "ripe_at", "activated_at", "retired_at", "removed_at"];
            expected.sort_unstable();
            assert_eq!(names, expected);
        }
        for body in [json!({ "now": "yes" }), json!({ "later": true }), json!([true, 1]), json!(1)] {
            assert_problem(&admin_api.post("/admin/v1/keys/rotate", &body).await, 400);
        }
    })
    .await;
}

fn in_state(keys: &Value, state: &str) -> Vec<String> {
    let keys = keys["items"].as_array().unwrap().iter().filter(|key| key["state"] == state);
    keys.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}
