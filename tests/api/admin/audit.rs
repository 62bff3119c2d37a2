//! The audit: each change leaves its event.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};
use tokenhouse::protocol::GrantType;

use super::{AdminClient, assert_each_once};
use crate::test_server::{TestServer, on_each_backend};

#[actix_web::test]
async fn every_change_leaves_exactly_one_event_of_its_kind() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let user = server.add_user(("bob", "a long enough one"), false).await.id;
        server.add_client("shop", &[GrantType::ClientCredentials], "read").await;
        let sid = crate::test_server::claims(&server.pair().await.access)["sid"].as_str().unwrap().to_owned();
        let nothing = json!({});
        let user = |verb: &str| format!("/admin/v1/users/{user}{verb}");
        let shop = |verb: &str| format!("/admin/v1/clients/shop{verb}");
        let (post, patch, delete) = (Method::POST, Method::PATCH, Method::DELETE);
        for (method, path, body, event) in [
            (&post, "/admin/v1/users".to_owned(), json!({ "username": "eve" }), "user_added"),
            (&patch, user(""), json!({ "admin": true }), "user_changed"),
            (&post, user("/disable"), nothing.clone(), "user_disabled"),
            (&post, user("/enable"), nothing.clone(), "user_enabled"),
            (&post, user("/password"), json!({ "password": "another long one" }), "password_changed"),
            (&delete, user(""), nothing.clone(), "user_removed"),
            (&post, "/admin/v1/clients".to_owned(), json!({ "client_id": "bank" }), "client_added"),
            (&patch, shop(""), json!({ "client_name": "The shop" }), "client_changed"),
            (&post, shop("/disable"), nothing.clone(), "client_disabled"),
            (&post, shop("/enable"), nothing.clone(), "client_enabled"),
            (&post, shop("/rotate-secret"), nothing.clone(), "client_secret_rotated"),
            (&delete, shop(""), nothing.clone(), "client_removed"),
            (&delete, format!("/admin/v1/sessions/{sid}"), nothing.clone(), "session_ended"),
            (&post, "/admin/v1/revocations".to_owned(), json!({ "client": "bank" }), "sessions_revoked"),
            (&post, "/admin/v1/keys/rotate".to_owned(), json!({ "now": true }), "key_activated"),
        ] {
            let before = count(server).await;
            let answer = server.admin(&admin_api.token, method.clone(), &path, Some(&body)).await;
            assert!((200..300).contains(&answer.status), "{method} {path}: {}", answer.text);
            let after = count(server).await;
            let new = after.get(event).unwrap_or(&0) - before.get(event).unwrap_or(&0);
            assert_eq!(new, 1, "{method} {path} wrote {new} events {event}");
        }
    })
    .await;
}

#[actix_web::test]
async fn the_audit_is_read_newest_first_and_names_who_did_it() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let bob = admin_api.add_user("bob", "a long enough one").await;

        let newest = admin_api.get("/admin/v1/audit?limit=1").await.body["items"][0].clone();

        let admin = crate::test_server::claims(&admin_api.token)["sub"].clone();
        assert_eq!(newest["event"], json!({ "event": "user_added", "user": bob }));
        assert_eq!(newest["actor"], json!({ "type": "admin", "id": admin }));
        let all = admin_api.get("/admin/v1/audit?limit=500").await;
        let ids: Vec<&str> =
            all.body["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
        assert!(ids.is_sorted_by(|newer, older| newer > older));
        assert!(!all.text.contains("bob") && !all.text.contains("127.0.0.1"), "it holds identifiers only");
    })
    .await;
}

#[actix_web::test]
async fn pages_of_the_audit_hold_each_entry_exactly_once_while_more_are_written() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        for _ in 0..7 {
            server.pair().await;
        }
        let all = admin_api.get("/admin/v1/audit?limit=500").await;
        let wanted: Vec<String> =
            all.body["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect();

        let seen = admin_api.walk("/admin/v1/audit", 3, async || drop(server.pair().await)).await;

        assert_each_once(&seen, &wanted);
        assert_eq!(seen.len(), wanted.len(), "what is newer than the first page is on no later one");
    })
    .await;
}

/// How many events there are of each kind.
async fn count(server: &TestServer) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for event in server.audit_events().await {
        let kind = event["event"].as_str().map_or_else(|| Value::Null.to_string(), str::to_owned);
        *counts.entry(kind).or_default() += 1;
    }
    counts
}
