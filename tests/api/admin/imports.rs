//! Bringing users and keys along from elsewhere, through the admin API.

use reqwest::Method;
use serde_json::json;

use super::{AdminClient, assert_problem};
use crate::test_server::{Answer, on_each_backend, read};

/// "correct horse battery staple" by Django's recipe.
const DJANGO: &str = "pbkdf2_sha256$1000$seasalt$3xmXbyk2QpiyNcnoBbzRPwEBsYPTbDlRdtmLyBvQltA=";

#[actix_web::test]
async fn each_line_of_an_import_has_its_receipt_and_imported_users_sign_in() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let django = json!({ "username": "django", "password_hash": DJANGO, "roles": ["clerk"], "groups": ["shop"],
            "email": "d@example.org", "email_verified": true, "profile": { "name": "D. Jango" } });
        let text = format!(
            "{django}\r\n\n{{\"username\": \"broken\n{django}\n{}\n{}\n{}\n{}",
            json!({ "username": "md5", "password_hash": "5f4dcc3b5aa765d61d8327deb882cf99" }),
            json!({ "username": "odd", "profile": { "nick": "x" } }),
            json!({ "username": "root", "admin": true }),
            json!({ "username": "nobody" }),
        );

        let imported = send(&admin_api, "/users/import", "application/x-ndjson; charset=utf-8", text).await;

        assert_eq!(imported.status, 200, "{}", imported.text);
        assert_eq!((&imported.body["added"], &imported.body["refused"]), (&json!(2), &json!(5)));
        let lines = imported.body["lines"].as_array().unwrap();
        let numbers: Vec<_> = lines.iter().map(|line| line["line"].as_u64().unwrap()).collect();
        assert_eq!(numbers, [1, 3, 4, 5, 6, 7, 8]);
        let problem = |position: usize| lines[position]["problem"].as_str().unwrap();
        assert!(problem(1).starts_with("not as expected at column"), "{}", problem(1));
        assert_eq!(problem(2), "the name is taken");
        assert!(problem(3).starts_with("the password hash is neither"), "{}", problem(3));
        assert!(problem(4).starts_with("there is no claim \"nick\""), "{}", problem(4));
        assert!(problem(5).starts_with("not as expected"), "no user is made an administrator so: {}", problem(5));
        assert_eq!((&lines[0]["username"], &lines[6]["username"]), (&json!("django"), &json!("nobody")));
        assert!(!imported.text.contains("5f4dcc3b") && !imported.text.contains("seasalt"), "{}", imported.text);
        let shown = admin_api.get(&format!("/admin/v1/users/{}", lines[0]["id"].as_str().unwrap())).await.body;
        assert_eq!((&shown["roles"], &shown["profile"]["name"]), (&json!(["clerk"]), &json!("D. Jango")));
        assert_eq!((&shown["groups"], &shown["email_verified"]), (&json!(["shop"]), &json!(true)));
        for name in ["django", "d@example.org"] {
            assert_eq!(server.obtain((name, "correct horse battery staple")).await.status, 200);
        }
        assert_eq!(server.count_events("user_added").await, 4, "those of the server, and two");
    })
    .await;
}

#[actix_web::test]
async fn an_import_that_is_none_is_refused() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let line = json!({ "username": "bob" }).to_string();
        for media_type in ["application/json", "application/x-www-form-urlencoded", "text/plain", ""] {
            assert_problem(&send(&admin_api, "/users/import", media_type, line.clone()).await, 400);
            assert_problem(&send(&admin_api, "/keys/import", media_type, line.clone()).await, 400);
        }
        let bytes = send(&admin_api, "/users/import", "application/jsonl", vec![b'{', 0xff, b'}']).await;
        assert_problem(&bytes, 400);
        let huge = format!("{line}\n").repeat(4000);
        assert_problem(&send(&admin_api, "/users/import", "application/jsonl", huge).await, 413);
        assert_eq!(server.count_events("user_added").await, 2, "nothing of it was added");
        let nothing = send(&admin_api, "/users/import", "application/jsonl", "\n\n").await;
        assert_eq!((nothing.status, &nothing.body["lines"]), (200, &json!([])), "{}", nothing.text);
    })
    .await;
}

#[actix_web::test]
async fn an_imported_key_is_next_and_a_removed_one_is_never_taken_again() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let import = async |pem: &str| send(&admin_api, "/keys/import", "application/x-pem-file", pem.to_owned()).await;

        let imported = import(EC_KEY).await;

        assert_eq!((imported.status, &imported.body["state"]), (200, &json!("next")), "{}", imported.text);
        let kid = imported.body["kid"].as_str().unwrap().to_owned();
        assert!(server.get("/.well-known/jwks.json").await.text.contains(&kid));
        assert_eq!(import(EC_KEY).await.body, imported.body, "it is left as it is");
        assert_eq!(admin_api.delete(&format!("/admin/v1/keys/{kid}")).await.status, 200);
        let again = import(EC_KEY).await;
        assert_problem(&again, 400);
        assert!(again.body["detail"].as_str().unwrap().contains("was removed"), "{}", again.text);
        let half = &EC_KEY[..EC_KEY.len() / 2];
        for other in ["nonsense", "", half, &format!("{EC_KEY}\n{EC_KEY}")] {
            let refused = import(other).await;
            assert_problem(&refused, 400);
            assert!(!refused.text.contains(&EC_KEY[40..60]), "{}", refused.text);
        }
        assert_eq!(server.count_events("key_removed").await, 1);
    })
    .await;
}

async fn send(admin_api: &AdminClient<'_>, path: &str, media_type: &str, body: impl Into<reqwest::Body>) -> Answer {
    let request = admin_api.server.request(Method::POST, &format!("/admin/v1{path}")).bearer_auth(&admin_api.token);
    let request = if media_type.is_empty() { request } else { request.header("content-type", media_type) };
    read(request.body(body)).await
}

const EC_KEY: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgsggusZEhCXWbEHK7
RqrnxPWff5vGcwV056WI+JgrIdChRANCAASohkXBTQedZRa5/RglbSvvOmMAZeHJ
hx40bJHR6hyCuZb5KR6Wf8clM6JAPmL1vAZov5dPk6RCsIk8vIi6BZ7x
-----END PRIVATE KEY-----";
