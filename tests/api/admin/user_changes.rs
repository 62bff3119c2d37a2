//! Changing a user part by part.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{AdminClient, assert_problem, user_path};
use crate::test_server::{Answer, USER, on_each_backend};

const PASSWORD: &str = "a long enough one";

#[actix_web::test]
async fn another_address_is_unique_signs_in_and_is_not_verified_unless_it_is_said_so() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let path = user_path(server).await;
        admin_api.post("/admin/v1/users", &json!({ "username": "bob", "email": "bob@example.org" })).await;
        let state = |answer: &Answer| (answer.body["email"].clone(), answer.body["email_verified"].clone());

        let first = admin_api.patch(&path, &json!({ "email": "ada@example.org", "email_verified": true })).await;
        assert_eq!(state(&first), (json!("ada@example.org"), json!(true)), "{}", first.text);
        let same = admin_api.patch(&path, &json!({ "email": "ada@example.org" })).await;
        assert_eq!(state(&same), state(&first));
        let other = admin_api.patch(&path, &json!({ "email": "ada@example.com" })).await;
        assert_eq!(state(&other), (json!("ada@example.com"), json!(false)));
        assert_eq!(server.obtain(("ADA@example.com", USER.1)).await.status, 200);
        assert_eq!(server.obtain(("ada@example.org", USER.1)).await.status, 401, "it is no user's now");

        for taken in ["bob@example.org", "Bob@Example.org"] {
            let refused = admin_api.patch(&path, &json!({ "email": taken, "roles": ["thief"] })).await;
            assert_problem(&refused, 409);
        }
        assert_eq!(server.user().await.roles, ["reader"], "nothing of a refused change is kept");
        let none = admin_api.patch(&path, &json!({ "email": null })).await;
        assert_eq!(state(&none), (Value::Null, json!(false)));
        assert_problem(&admin_api.patch(&path, &json!({ "email_verified": true })).await, 400);
        assert_eq!(admin_api.post("/admin/v1/users", &json!({ "username": "ada@example.com" })).await.status, 201);
    })
    .await;
}

#[actix_web::test]
async fn of_many_who_change_to_one_address_at_once_one_gets_it() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let mut calls = tokio::task::JoinSet::new();
        for number in 0..6 {
            let id = server.add_user((&format!("user{number}"), PASSWORD), false).await.id;
            let request = server.request(Method::PATCH, &format!("/admin/v1/users/{id}")).bearer_auth(&admin_api.token);
            calls.spawn(crate::test_server::read(request.json(&json!({ "email": "one@example.org" }))));
        }

        let mut statuses: Vec<u16> = calls.join_all().await.iter().map(|answer| answer.status).collect();

        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409, 409, 409, 409, 409]);
    })
    .await;
}

#[actix_web::test]
async fn of_changes_to_several_parts_at_once_none_is_lost() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let path = user_path(server).await;
        let parts = [
            json!({ "email": "ada@example.org" }),
            json!({ "roles": ["clerk"] }),
            json!({ "groups": ["shop"] }),
            json!({ "profile": { "name": "Ada" } }),
            json!({ "profile": { "nickname": "A" } }),
            json!({ "profile": { "address": { "locality": "London" } } }),
            json!({ "profile": { "address": { "country": "GB" } } }),
        ];
        let mut calls = tokio::task::JoinSet::new();
        for part in &parts {
            let request = server.request(Method::PATCH, &path).bearer_auth(&admin_api.token);
            calls.spawn(crate::test_server::read(request.json(part)));
        }
        for answer in calls.join_all().await {
            assert_eq!(answer.status, 200, "{}", answer.text);
        }

        let user = admin_api.get(&path).await.body;

        assert_eq!((&user["email"], &user["roles"]), (&json!("ada@example.org"), &json!(["clerk"])));
        assert_eq!(user["groups"], json!(["shop"]));
        assert_eq!((&user["profile"]["name"], &user["profile"]["nickname"]), (&json!("Ada"), &json!("A")));
        assert_eq!(user["profile"]["address"], json!({ "locality": "London", "country": "GB" }));
    })
    .await;
}

#[actix_web::test]
async fn a_profile_is_merged_shown_and_dated() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let new = json!({ "username": "bob", "email": "bob@example.org", "email_verified": true,
            "profile": { "name": "Bob Roe", "birthdate": "1990-02-28", "address": { "country": "GB" } } });
        let added = admin_api.post("/admin/v1/users", &new).await;
        assert_eq!(added.status, 201, "{}", added.text);
        let began = server.clock.now().seconds();
        assert_eq!(added.body["email_verified"], true);
        assert!((began - 60..=began).contains(&added.body["profile"]["updated_at"].as_i64().unwrap()));
        let path = format!("/admin/v1/users/{}", added.body["id"].as_str().unwrap());
        server.clock.advance(Duration::from_secs(100));

        let patch =
            json!({ "profile": { "name": "Robert Roe", "birthdate": null, "address": { "locality": "Bath" } } });
        let request = server.request(Method::PATCH, &path).bearer_auth(&admin_api.token);
        let request = request.header("content-type", "application/merge-patch+json").body(patch.to_string());
        let changed = crate::test_server::read(request).await;

        assert_eq!(changed.status, 200, "{}", changed.text);
        let profile = &changed.body["profile"];
        assert_eq!((&profile["name"], &profile["birthdate"]), (&json!("Robert Roe"), &Value::Null));
        assert_eq!(profile["address"], json!({ "country": "GB", "locality": "Bath" }));
        assert!(profile["updated_at"].as_i64().unwrap() >= began + 100);
        assert_eq!(admin_api.get(&path).await.body, changed.body);
        server.clock.advance(Duration::from_secs(100));
        let roles = admin_api.patch(&path, &json!({ "roles": ["clerk"] })).await;
        assert_eq!(&roles.body["profile"], profile, "roles are no claims of the profile");
        let none = admin_api.patch(&path, &json!({ "profile": null })).await;
        assert_eq!(none.body["profile"].as_object().unwrap().keys().collect::<Vec<_>>(), ["updated_at"]);
    })
    .await;
}

#[actix_web::test]
async fn what_cannot_be_changed_is_refused_and_nothing_is() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let path = user_path(server).await;
        let before = admin_api.get(&path).await.body;
        for body in [
            json!({ "username": "eve" }),
            json!({ "id": "x" }),
            json!({ "state": "disabled" }),
            json!({ "password": PASSWORD }),
            json!({ "not_before": 0 }),
            json!({ "admin": null }),
            json!({ "admin": "yes" }),
            json!({ "email_verified": null }),
            json!({ "email": "nowhere" }),
            json!({ "roles": "clerk" }),
            json!({ "roles": [""] }),
            json!({ "roles": vec!["x"; 101] }),
            json!({ "groups": ["x".repeat(201)] }),
            json!({ "profile": [] }),
            json!({ "profile": { "name": 1 } }),
            json!({ "profile": { "sub": "eve" } }),
            json!({ "profile": { "updated_at": 1 } }),
            json!({ "profile": { "picture": "javascript:alert(1)" } }),
            json!({ "profile": { "address": { "planet": "x" } } }),
            json!({ "roles": ["clerk"], "profile": { "birthdate": "yesterday" } }),
            json!([]),
            json!(["eve@example.org"]),
        ] {
            let refused = admin_api.patch(&path, &body).await;
            assert_problem(&refused, 400);
        }
        let said = admin_api.patch(&path, &json!({ "profile": { "nick": "x" } })).await;
        assert!(
            said.body["detail"].as_str().unwrap().starts_with("there is no claim \"nick\"; there are"),
            "{}",
            said.text
        );
        assert_problem(
            &admin_api.post("/admin/v1/users", &json!({ "username": "eve", "profile": { "sub": "x" } })).await,
            400,
        );
        assert_problem(
            &admin_api.post("/admin/v1/users", &json!({ "username": "eve", "email_verified": true })).await,
            400,
        );
        for nobody in ["00000000-0000-0000-0000-000000000000", "ada", "%00"] {
            assert_problem(&admin_api.patch(&format!("/admin/v1/users/{nobody}"), &json!({ "roles": [] })).await, 404);
        }
        assert_eq!(admin_api.get(&path).await.body, before);
        assert_eq!(server.count_events("user_changed").await, 0);
    })
    .await;
}

#[actix_web::test]
async fn what_is_so_already_is_no_change() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let path = user_path(server).await;
        let first = admin_api.patch(&path, &json!({ "roles": ["clerk"], "profile": { "name": "Ada" } })).await;
        let head = server.ctx().store.database.feed_head().await.unwrap();
        server.clock.advance(Duration::from_secs(10));

        let again = admin_api.patch(&path, &json!({ "roles": ["clerk"], "profile": { "name": "Ada" } })).await;
        let nothing = admin_api.patch(&path, &json!({})).await;

        assert_eq!((&again.body, &nothing.body), (&first.body, &first.body));
        assert_eq!(server.count_events("user_changed").await, 1);
        assert_eq!(server.ctx().store.database.feed_head().await.unwrap(), head);
    })
    .await;
}
