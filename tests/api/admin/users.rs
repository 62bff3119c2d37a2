//! Users: adding, listing, stopping, removing.

use serde_json::{Value, json};

use super::{AdminClient, assert_each_once, assert_problem};
use crate::test_server::{USER, on_each_backend, pair};

const PASSWORD: &str = "a long enough one";

#[actix_web::test]
async fn a_user_is_added_shown_and_listed_without_the_password() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let new = json!({ "username": "Bob", "email": "bob@example.org", "roles": ["clerk"], "groups": ["shop"],
            "password": PASSWORD });

        let added = admin_api.post("/admin/v1/users", &new).await;

        assert_eq!(added.status, 201, "{}", added.text);
        let id = added.body["id"].as_str().unwrap();
        let shown = admin_api.get(&format!("/admin/v1/users/{id}")).await;
        let list = admin_api.get("/admin/v1/users").await;
        assert_eq!(shown.body, added.body);
        assert_eq!(shown.body["roles"], json!(["clerk"]));
        assert_eq!(shown.body["admin"], false);
        for text in [&added.text, &shown.text, &list.text] {
            assert!(!text.contains(PASSWORD) && !text.contains("argon2"), "{text}");
        }
        assert_eq!(server.obtain(("bob@example.org", PASSWORD)).await.status, 200);
        let last = server.count_events("user_added").await;
        assert_eq!(last, 3, "those of the server, and this one");
    })
    .await;
}

#[actix_web::test]
async fn pages_of_users_hold_each_exactly_once_while_others_are_added() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let mut wanted = Vec::new();
        for number in 0..5 {
            wanted.push(server.add_user((&format!("user{number}"), PASSWORD), false).await.id.to_string());
        }

        let mut number = 10;
        let seen = admin_api
            .walk("/admin/v1/users", 2, async || {
                number += 1;
                if number < 13 {
                    server.add_user((&format!("user{number}"), PASSWORD), false).await;
                }
            })
            .await;

        assert_each_once(&seen, &wanted);
    })
    .await;
}

#[actix_web::test]
async fn a_name_or_address_that_is_taken_is_a_conflict() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        admin_api.post("/admin/v1/users", &json!({ "username": "bob", "email": "bob@example.org" })).await;

        for taken in [
            json!({ "username": "bob" }),
            json!({ "username": "BOB" }),
            json!({ "username": "bob@example.org" }),
            json!({ "username": "bert", "email": "Bob@Example.org" }),
        ] {
            let answer = admin_api.post("/admin/v1/users", &taken).await;
            assert_problem(&answer, 409);
        }
        assert_eq!(server.count_events("user_added").await, 3);
    })
    .await;
}

#[actix_web::test]
async fn a_user_who_cannot_be_taken_is_refused() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        for (username, password) in [
            ("bob", "short"),
            ("bob", "password"),
            ("bob", "Password123!"),
            ("bob", "tokenhouse1"),
            ("bobbobbob", "bobbobbob1"),
            ("bob", &"x".repeat(1025)),
            ("", PASSWORD),
            ("bob smith", PASSWORD),
            ("bob\u{0}", PASSWORD),
            (&"b".repeat(129), PASSWORD),
        ] {
            let answer =
                admin_api.post("/admin/v1/users", &json!({ "username": username, "password": password })).await;
            assert_problem(&answer, 400);
            assert!(!answer.text.contains(&format!("\"{password}\"")), "{}", answer.text);
        }
        for email in ["bob", "bob@", "@example.org", "a@b@example.org", "a b@example.org", "bob@example"] {
            let answer = admin_api.post("/admin/v1/users", &json!({ "username": "bob", "email": email })).await;
            assert_problem(&answer, 400);
        }
        assert_eq!(server.count_events("user_added").await, 2);
    })
    .await;
}

#[actix_web::test]
async fn what_was_sent_by_mistake_is_not_repeated() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let id = server.user().await.id;
        let secret = "hunter2-the-secret";
        let users = "/admin/v1/users".to_owned();
        let password = format!("/admin/v1/users/{id}/password");
        let clients = "/admin/v1/clients".to_owned();
        for (path, body) in [
            (&users, json!({ "username": "bob", "password": { "is": secret } })),
            (&users, json!({ "username": "bob", "password": [secret] })),
            (&users, json!({ "username": "bob", "admin": secret })),
            (&users, json!({ "username": "bob", "pasword": secret })),
            (&users, json!(secret)),
            (&password, json!({ "password": { secret: 1 } })),
            (&password, json!({ "password": PASSWORD, "old": secret })),
            (&password, json!({ "new": secret })),
            (&clients, json!({ "id": secret, "secret": [secret] })),
            (&clients, json!({ "id": "shop", "secret": { "is": secret } })),
            (&clients, json!({ "id": "shop", "grants": [secret] })),
            (&clients, json!({ "id": "shop", "redirect_uris": [secret] })),
            (&clients, json!({ "id": "shop", "secret": secret })),
        ] {
            let answer = admin_api.post(path, &body).await;
            assert_problem(&answer, 400);
            assert!(!answer.text.contains("hunter2"), "{body}: {}", answer.text);
        }
        for text in
            [format!("{{\"password\": \"{secret}\" x"), format!("{{\"password\": \"{secret}"), secret.to_owned()]
        {
            let request = server.request(reqwest::Method::POST, &password).bearer_auth(&admin_api.token);
            let answer = crate::test_server::read(request.header("content-type", "application/json").body(text)).await;
            assert_problem(&answer, 400);
            assert!(!answer.text.contains("hunter2"), "{}", answer.text);
        }
        let form = server
            .request(reqwest::Method::POST, &password)
            .bearer_auth(&admin_api.token)
            .form(&[("password", secret)]);
        assert_problem(&crate::test_server::read(form).await, 400);
        let huge = admin_api.post(&password, &json!({ "password": "x".repeat(70_000) })).await;
        assert_problem(&huge, 413);
    })
    .await;
}

#[actix_web::test]
async fn a_disabled_user_is_out_until_enabled_and_signs_in_anew() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let id = server.user().await.id;
        let tokens = server.pair().await;

        let disabled = admin_api.post(&format!("/admin/v1/users/{id}/disable"), &json!({})).await;

        assert_eq!((disabled.status, disabled.text.as_str()), (200, r#"{"applied":"everywhere"}"#));
        assert_eq!(server.obtain(USER).await.status, 401);
        assert_eq!(server.refresh(&tokens.refresh).await.status, 401);
        assert_eq!(server.verify(&tokens.access).await.status, 401);
        assert_eq!(admin_api.post(&format!("/admin/v1/users/{id}/enable"), &json!({})).await.status, 200);
        assert_eq!(server.refresh(&tokens.refresh).await.status, 401, "an ended session stays ended");
        pair(&server.obtain(USER).await);
        assert_eq!(server.count_events("user_disabled").await, 1);
        assert_eq!(server.count_events("user_enabled").await, 1);
    })
    .await;
}

#[actix_web::test]
async fn a_new_password_ends_what_the_old_one_began() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let id = server.user().await.id;
        let tokens = server.pair().await;
        let path = format!("/admin/v1/users/{id}/password");
        assert_problem(&admin_api.post(&path, &json!({ "password": "short" })).await, 400);
        assert_eq!(server.verify(&tokens.access).await.status, 200, "a refused change changes nothing");

        let changed = admin_api.post(&path, &json!({ "password": PASSWORD })).await;

        assert_eq!(changed.status, 200, "{}", changed.text);
        assert_eq!(server.refresh(&tokens.refresh).await.status, 401);
        assert_eq!(server.obtain(USER).await.status, 401);
        assert_eq!(server.obtain((USER.0, PASSWORD)).await.status, 200);
        assert_eq!(server.count_events("password_changed").await, 1);
    })
    .await;
}

#[actix_web::test]
async fn a_removed_user_whose_name_is_taken_again_is_another_user() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let old = admin_api.add_user("bob", PASSWORD).await;
        let tokens = pair(&server.obtain(("bob", PASSWORD)).await);

        assert_eq!(admin_api.delete(&format!("/admin/v1/users/{old}")).await.status, 200);
        let new = admin_api.add_user("bob", PASSWORD).await;

        assert_ne!(old, new);
        assert_eq!(server.refresh(&tokens.refresh).await.status, 401);
        assert_eq!(server.verify(&tokens.access).await.status, 401);
        let again = pair(&server.obtain(("bob", PASSWORD)).await);
        assert_eq!(crate::test_server::claims(&again.access)["sub"], new.as_str());
        assert_problem(&admin_api.get(&format!("/admin/v1/users/{old}")).await, 404);
        assert_eq!(server.count_events("user_removed").await, 1);
    })
    .await;
}

#[actix_web::test]
async fn an_unknown_user_is_not_found() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        for id in ["00000000-0000-0000-0000-000000000000", "ada", "%00", "'%20or%201=1"] {
            let path = format!("/admin/v1/users/{id}");
            assert_problem(&admin_api.get(&path).await, 404);
            assert_problem(&admin_api.delete(&path).await, 404);
            for verb in ["disable", "enable"] {
                assert_problem(&admin_api.post(&format!("{path}/{verb}"), &Value::Null).await, 404);
            }
            assert_problem(&admin_api.post(&format!("{path}/password"), &json!({ "password": PASSWORD })).await, 404);
        }
        assert_eq!(server.audit_events().await.iter().filter(|event| event["event"] == "user_disabled").count(), 0);
    })
    .await;
}
