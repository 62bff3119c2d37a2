//! Listing sessions, showing one, ending one.

use std::time::Duration;

use tokenhouse::protocol::GrantType;

use super::{AdminClient, assert_each_once, assert_problem, begin};
use crate::test_server::{ADMIN, USER, claims, on_each_backend, pair, read};

#[actix_web::test]
async fn pages_of_sessions_hold_each_exactly_once_while_others_begin() {
    on_each_backend(async |server| {
        let (client, _) = server.add_client("shop", &[GrantType::RefreshToken], "read").await;
        let user = server.user().await;
        let mut wanted = Vec::new();
        for _ in 0..11 {
            wanted.push(begin(server, &user, &client, "read", &["shop"]).await.id.to_string());
        }
        let admin_api = AdminClient::of(server).await;

        let mut left = 3;
        let seen = admin_api
            .walk("/admin/v1/sessions", 4, async || {
                if left > 0 {
                    left -= 1;
                    begin(server, &user, &client, "read", &["shop"]).await;
                }
            })
            .await;

        assert_each_once(&seen, &wanted);
        assert_eq!(seen.len(), 11 + 1 + 3, "the administrator's own, and those that began meanwhile");
        assert!(seen.is_sorted());
    })
    .await;
}

#[actix_web::test]
async fn a_list_of_sessions_is_narrowed_by_user_client_and_life() {
    on_each_backend(async |server| {
        let (shop, _) = server.add_client("shop", &[GrantType::RefreshToken], "read").await;
        let user = server.user().await;
        let first = begin(server, &user, &shop, "read", &["shop"]).await;
        server.pair().await;
        let admin_api = AdminClient::of(server).await;
        admin_api.delete(&format!("/admin/v1/sessions/{}", first.id)).await;
        let count = async |query: &str| {
            let answer = admin_api.get(&format!("/admin/v1/sessions?{query}")).await;
            assert_eq!(answer.status, 200, "{query}: {}", answer.text);
            answer.body["items"].as_array().unwrap().len()
        };

        assert_eq!(count("").await, 3);
        assert_eq!(count(&format!("user={}", user.id)).await, 2);
        assert_eq!(count("client=shop").await, 1);
        assert_eq!(count("client=simplejwt").await, 2);
        assert_eq!(count("live=true").await, 2);
        assert_eq!(count("client=shop&live=true").await, 0);
        assert_eq!(count(&format!("client=simplejwt&user={}", user.id)).await, 1);
        assert_eq!(count("client=nobody").await, 0);
    })
    .await;
}

#[actix_web::test]
async fn a_session_tells_who_where_and_how_far_it_has_come() {
    on_each_backend(async |server| {
        let body = serde_json::json!({ "username": USER.0, "password": USER.1 });
        let request = server.request(reqwest::Method::POST, "/api/token/").header("user-agent", "Lynx/2").json(&body);
        let first = pair(&read(request).await);
        pair(&server.refresh(&first.refresh).await);
        let admin_api = AdminClient::of(server).await;
        let sid = claims(&first.access)["sid"].as_str().unwrap().to_owned();

        let shown = admin_api.get(&format!("/admin/v1/sessions/{sid}")).await.body;

        assert_eq!(shown["id"], sid.as_str());
        assert_eq!(shown["user_id"], server.user().await.id.to_string());
        assert_eq!(shown["client_id"], "simplejwt");
        assert_eq!(shown["user_agent"]["name"], "Lynx/2");
        assert_eq!(shown["user_agent"]["address"], "127.0.0.1");
        assert_eq!(shown["generation"], 1);
        assert_eq!(shown["ended"], serde_json::Value::Null);
        assert!(shown["effective_end"].as_str() < shown["ends_at"].as_str());
    })
    .await;
}

#[actix_web::test]
async fn forged_queries_do_no_harm() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let long = "a".repeat(4000);
        for list in ["sessions", "users", "clients", "audit"] {
            for query in [
                "after=%27%20or%201=1",
                "after=%00",
                "after=%ff%fe",
                "after=';drop%20table%20users",
                &format!("after={long}"),
                "sort=id;drop",
                "limit=-1",
                "limit=abc",
                "limit=99999999999999",
                "limit=1&limit=2",
                "after=a&after=b",
            ] {
                let answer = admin_api.get(&format!("/admin/v1/{list}?{query}")).await;
                if query.starts_with("after=';") || query == "after=%ff%fe" {
                    assert!([200, 400].contains(&answer.status), "{list}?{query}: {}", answer.text);
                } else {
                    assert_eq!(answer.status, 400, "{list}?{query}: {}", answer.text);
                    assert_problem(&answer, 400);
                    assert!(!answer.text.contains("abc") && !answer.text.contains("drop table"), "{}", answer.text);
                }
            }
            for query in ["after=", "after='or'1'='1", "limit=0", "limit=501", "after=zzzz", "after=0"] {
                let answer = admin_api.get(&format!("/admin/v1/{list}?{query}")).await;
                assert_eq!(answer.status, 200, "{list}?{query}: {}", answer.text);
            }
            let huge = admin_api.get(&format!("/admin/v1/{list}?after={}", "a".repeat(40_000))).await;
            assert!((400..500).contains(&huge.status), "{}", huge.status);
        }
        for query in ["user=nobody", "user='%20or%201=1", "client=a%20b", "live=maybe", "session=1"] {
            assert_problem(&admin_api.get(&format!("/admin/v1/sessions?{query}")).await, 400);
        }
        assert_eq!(admin_api.get("/admin/v1/users").await.body["items"].as_array().unwrap().len(), 2);
    })
    .await;
}

#[actix_web::test]
async fn an_ended_session_is_over_at_once_on_every_instance() {
    on_each_backend(async |server| {
        let second = server.second_instance(server.clock.clone()).await;
        let tokens = server.pair().await;
        let sid = claims(&tokens.access)["sid"].as_str().unwrap().to_owned();
        let admin_api = AdminClient::of(server).await;

        let ended = admin_api.delete(&format!("/admin/v1/sessions/{sid}")).await;

        assert_eq!((ended.status, ended.text.as_str()), (200, r#"{"applied":"everywhere"}"#));
        let there = format!("http://{}/api/token/refresh/", second.address);
        let refused = read(server.http.post(there).form(&[("refresh", &tokens.refresh)])).await;
        assert_eq!(refused.status, 401, "{}", refused.text);
        assert_eq!(server.refresh(&tokens.refresh).await.status, 401);
        assert_eq!(server.verify(&tokens.access).await.status, 401);
        let shown = admin_api.get(&format!("/admin/v1/sessions/{sid}")).await.body;
        assert_eq!(shown["ended"]["reason"], "admin");
        assert_eq!(shown["effective_end"], shown["ended"]["at"]);
        assert_eq!(
            admin_api.delete(&format!("/admin/v1/sessions/{sid}")).await.status,
            200,
            "ending it again is no error"
        );
        assert_eq!(server.count_events("session_ended").await, 1);
        second.stop().await;
    })
    .await;
}

#[actix_web::test]
async fn what_is_no_session_is_not_found() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        for sid in ["00000000-0000-0000-0000-000000000000", "nobody", "%00", "%ff", "'%20or%201=1", &"a".repeat(3000)] {
            assert_problem(&admin_api.get(&format!("/admin/v1/sessions/{sid}")).await, 404);
            assert_problem(&admin_api.delete(&format!("/admin/v1/sessions/{sid}")).await, 404);
        }
    })
    .await;
}

#[actix_web::test]
async fn a_session_past_its_absolute_end_is_not_live() {
    on_each_backend(async |server| {
        server.pair().await;
        server.later(Duration::from_hours(24 * 31)).await;
        let admin_api = AdminClient::of(server).await;

        let live = admin_api.get("/admin/v1/sessions?live=true").await;

        let users: Vec<_> = live.body["items"].as_array().unwrap().iter().map(|item| &item["user_id"]).collect();
        let admin = server.ctx().store.database.user_to_sign_in(ADMIN.0).await.unwrap().unwrap().0;
        assert_eq!(users, [&serde_json::json!(admin.id)]);
    })
    .await;
}
