//! Clients: adding, changing, secrets, stopping, removing.

use std::time::Duration;

use serde_json::{Value, json};
use tokenhouse::protocol::GrantType;

use super::{AdminClient, assert_each_once, assert_problem, begin};
use crate::test_server::{Answer, TestServer, on_each_backend};

#[actix_web::test]
async fn a_generated_secret_is_shown_once_and_works() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let new = json!({
            "client_id": "shop",
            "grant_types": ["client_credentials"],
            "scope": "read",
            "tokenhouse_audience": ["https://api.example"],
        });

        let added = admin_api.post("/admin/v1/clients", &new).await;

        assert_eq!(added.status, 201, "{}", added.text);
        let secret = added.body["client_secret"].as_str().unwrap();
        assert!(secret.len() >= 43);
        for path in ["/admin/v1/clients", "/admin/v1/clients/shop"] {
            let shown = admin_api.get(path).await;
            assert!(!shown.text.contains(secret) && !shown.text.contains("digest"), "{}", shown.text);
        }
        assert_eq!(admin_api.get("/admin/v1/clients/shop").await.body, added.body["client"]);
        assert_eq!(token(server, "shop", secret).await.status, 200);
        assert_eq!(token(server, "shop", &format!("{secret}x")).await.status, 401);
        assert_eq!(server.count_events("client_added").await, 2, "the built-in one, and this one");
    })
    .await;
}

#[actix_web::test]
async fn a_client_that_cannot_be_is_refused() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        admin_api.post("/admin/v1/clients", &json!({ "client_id": "shop" })).await;
        for id in ["shop", "simplejwt"] {
            assert_problem(&admin_api.post("/admin/v1/clients", &json!({ "client_id": id })).await, 409);
        }
        for body in [
            json!({}),
            json!({ "client_id": "" }),
            json!({ "client_id": "a b" }),
            json!({ "client_id": "a/b" }),
            json!({ "client_id": "a".repeat(129) }),
            json!({ "id": "a" }),
            json!({ "client_id": null }),
            json!({ "client_id": ["a"] }),
            json!({ "client_id": "a", "token_endpoint_auth_method": "none", "grant_types": ["client_credentials"] }),
            json!({ "client_id": "a", "token_endpoint_auth_method": "none", "client_secret": "x".repeat(40) }),
            json!({ "client_id": "a", "token_endpoint_auth_method": "none", "tokenhouse_pkce": "optional" }),
            json!({ "client_id": "a", "token_endpoint_auth_method": "private_key_jwt" }),
            json!({ "client_id": "a", "public": true }),
            json!({ "client_id": "a", "client_secret": "x".repeat(31) }),
            json!({ "client_id": "a", "grant_types": ["password"] }),
            json!({ "client_id": "a", "grant_types": ["simplejwt"] }),
            json!({ "client_id": "a", "scope": "a  b" }),
            json!({ "client_id": "a", "scope": "a\u{0}" }),
            json!({ "client_id": "a", "redirect_uris": ["http://example.org/"] }),
            json!({ "client_id": "a", "redirect_uris": ["javascript:x"] }),
            json!({ "client_id": "a", "backchannel_logout_uri": "no uri" }),
            json!({ "client_id": "a", "backchannel_logout_uri": "https://a\u{0}" }),
            json!({ "client_id": "a", "client_name": "" }),
            json!({ "client_id": "a", "client_name": "x\u{0}" }),
            json!({ "client_id": "a", "tokenhouse_audience": [""] }),
            json!({ "client_id": "a", "tokenhouse_state": "disabled" }),
            json!({ "client_id": "a", "status_index": 1 }),
            json!({ "client_id": "a", "secrets": [] }),
        ] {
            assert_problem(&admin_api.post("/admin/v1/clients", &body).await, 400);
        }
        let twice = r#"{"client_id":"a","scope":"read","scope":"write"}"#;
        let request = server.request(reqwest::Method::POST, "/admin/v1/clients").bearer_auth(&admin_api.token);
        let answer = crate::test_server::read(request.header("content-type", "application/json").body(twice)).await;
        assert_problem(&answer, 400);
        assert!(answer.text.contains("duplicate field `scope`"), "{}", answer.text);
        assert_problem(&admin_api.get("/admin/v1/clients/a").await, 404);
    })
    .await;
}

#[actix_web::test]
async fn pages_of_clients_hold_each_exactly_once() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let wanted = ["a", "A", "a-b", "a.b", "ab", "b"].map(str::to_owned);
        for id in &wanted {
            server.add_client(id, &[], "").await;
        }

        let seen = admin_api.walk("/admin/v1/clients", 2, async || {}).await;

        assert_each_once(&seen, &wanted);
        assert_eq!(seen.len(), wanted.len() + 1, "and the built-in one");
    })
    .await;
}

#[actix_web::test]
async fn a_scope_that_is_withdrawn_ends_the_sessions_that_hold_it() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let (shop, secret) = server.add_client("shop", &[GrantType::RefreshToken], "read write").await;
        let user = server.user().await;
        let issuer = [server.config.issuer.as_str()];
        let reads = begin(server, &user, &shop, "read", &issuer).await;
        let writes = begin(server, &user, &shop, "read write", &issuer).await;

        let changed = admin_api.patch("/admin/v1/clients/shop", &json!({ "scope": "read" })).await;

        assert_eq!((changed.status, changed.body["scope"].as_str()), (200, Some("read")), "{}", changed.text);
        let refresh = async |token: &str| {
            server
                .post_as("shop", &secret, "/oauth2/token", &[("grant_type", "refresh_token"), ("refresh_token", token)])
                .await
        };
        assert_eq!(refresh(&writes.refresh).await.status, 400);
        assert_eq!(refresh(&reads.refresh).await.status, 200);
        let ended = admin_api.get(&format!("/admin/v1/sessions/{}", writes.id)).await;
        assert_eq!(ended.body["ended"]["reason"], "scope_withdrawn");
        assert_eq!(server.count_events("client_changed").await, 1);
    })
    .await;
}

#[actix_web::test]
async fn a_change_that_cannot_be_changes_nothing() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        server.add_client("shop", &[GrantType::ClientCredentials], "read").await;
        let before = admin_api.get("/admin/v1/clients/shop").await.body;
        for body in [
            json!({ "client_name": "" }),
            json!({ "name": "x" }),
            json!({ "client_id": "other" }),
            json!({ "client_id": null }),
            json!({ "token_endpoint_auth_method": "none" }),
            json!({ "grant_types": ["simplejwt"] }),
            json!({ "grant_types": "client_credentials" }),
            json!({ "tokenhouse_access_token_lifetime": 0 }),
            json!({ "tokenhouse_access_token_lifetime": 86_401 }),
            json!({ "tokenhouse_access_token_lifetime": -1 }),
            json!({ "tokenhouse_refresh_token_lifetime": 0 }),
            json!({ "tokenhouse_refresh": { "retry_window": 601 } }),
            json!({ "tokenhouse_refresh": { "unknown": null } }),
            json!({ "tokenhouse_access_token_signed_response_alg": "none" }),
            json!({ "tokenhouse_access_token_signed_response_alg": "HS256" }),
            json!({ "tokenhouse_access_token_signed_response_alg": "PS256" }),
            json!({ "scope": "\u{7f}" }),
            json!({ "secret": "x" }),
            json!({ "client_secret": "x" }),
        ] {
            assert_problem(&admin_api.patch("/admin/v1/clients/shop", &body).await, 400);
        }
        assert_eq!(admin_api.get("/admin/v1/clients/shop").await.body, before);
        assert_problem(&admin_api.patch("/admin/v1/clients/nobody", &json!({ "client_name": "x" })).await, 404);
        assert_eq!(server.count_events("client_changed").await, 0);
    })
    .await;
}

#[actix_web::test]
async fn a_part_that_is_named_is_changed_or_taken_away_and_the_others_stay() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let new = json!({
            "client_id": "shop",
            "redirect_uris": ["https://shop.example/cb"],
            "backchannel_logout_uri": "https://shop.example/back",
            "logo_uri": "https://shop.example/logo.png",
            "tokenhouse_access_token_lifetime": 60,
            "tokenhouse_pkce": "optional",
            "tokenhouse_unverified": true,
            "tokenhouse_refresh": { "fixed": true, "retry_window": 5 },
        });
        let added = admin_api.post("/admin/v1/clients", &new).await;
        assert_eq!(added.status, 201, "{}", added.text);

        let change = json!({
            "tos_uri": "https://shop.example/tos",
            "tokenhouse_pkce": null,
            "tokenhouse_refresh": { "on_repeated": "end_session", "fixed": null },
        });
        let first = admin_api.patch("/admin/v1/clients/shop", &change).await;
        let change = json!({
            "backchannel_logout_uri": null,
            "logo_uri": null,
            "tokenhouse_access_token_lifetime": null,
            "tokenhouse_unverified": null,
            "tokenhouse_refresh": null,
        });
        let second = admin_api.patch("/admin/v1/clients/shop", &change).await;

        let metadata = |body: &Value| {
            let mut members = body.as_object().unwrap().clone();
            members.retain(|name, _| !tokenhouse::model::Client::ASSIGNED.contains(&name.as_str()));
            Value::Object(members)
        };
        let expected = json!({
            "client_id": "shop",
            "token_endpoint_auth_method": "client_secret_basic",
            "grant_types": [],
            "redirect_uris": ["https://shop.example/cb"],
            "backchannel_logout_uri": "https://shop.example/back",
            "logo_uri": "https://shop.example/logo.png",
            "tos_uri": "https://shop.example/tos",
            "tokenhouse_access_token_lifetime": 60,
            "tokenhouse_unverified": true,
            "tokenhouse_refresh": { "retry_window": 5, "on_repeated": "end_session" },
        });
        assert_eq!(metadata(&first.body), expected);
        let expected = json!({
            "client_id": "shop",
            "token_endpoint_auth_method": "client_secret_basic",
            "grant_types": [],
            "redirect_uris": ["https://shop.example/cb"],
            "tos_uri": "https://shop.example/tos",
        });
        assert_eq!(metadata(&second.body), expected);
        assert_eq!(second.body["redirect_uris"], json!(["https://shop.example/cb"]));
        assert_eq!(admin_api.get("/admin/v1/clients/shop").await.body, second.body);
    })
    .await;
}

#[actix_web::test]
async fn what_is_shown_of_a_client_can_be_sent_back_and_makes_another() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let mut new = every_member();
        new["client_id"] = json!("shop");
        let added = admin_api.post("/admin/v1/clients", &new).await;
        assert_eq!(added.status, 201, "{}", added.text);
        let shown = admin_api.get("/admin/v1/clients/shop").await.body;
        for (name, value) in new.as_object().unwrap() {
            assert_eq!(&shown[name], value, "{name}");
        }
        let schema = server.get("/openapi.json").await.body;
        for name in schema["components"]["schemas"]["ClientMetadata"]["properties"].as_object().unwrap().keys() {
            assert!(new.get(name).is_some(), "{name} is missing in this test");
        }

        let sent_back = admin_api.patch("/admin/v1/clients/shop", &shown).await;
        assert_eq!((sent_back.status, &sent_back.body), (200, &shown), "{}", sent_back.text);

        let mut copy = shown.clone();
        copy["client_id"] = json!("copy");
        let copied = admin_api.post("/admin/v1/clients", &copy).await;
        assert_eq!(copied.status, 201, "{}", copied.text);
        let shown_copy = admin_api.get("/admin/v1/clients/copy").await.body;
        assert_ne!(shown_copy["tokenhouse_status_index"], shown["tokenhouse_status_index"]);
        for (name, value) in every_member().as_object().unwrap() {
            assert_eq!(&shown_copy[name], value, "{name}");
        }

        for (name, other) in [
            ("client_id", json!("copy")),
            ("client_id_issued_at", json!(0)),
            ("tokenhouse_state", json!("disabled")),
            ("tokenhouse_status_index", json!(99)),
            ("tokenhouse_not_before", Value::Null),
        ] {
            let mut changed = shown.clone();
            changed[name] = other;
            let refused = admin_api.patch("/admin/v1/clients/shop", &changed).await;
            assert_problem(&refused, 400);
            assert_eq!(refused.body["detail"], format!("{name} cannot be changed"));
        }
        assert_eq!(admin_api.get("/admin/v1/clients/shop").await.body, shown);
    })
    .await;
}

/// A value for each member of client metadata that differs from its default.
fn every_member() -> Value {
    json!({
        "client_name": "Shop",
        "token_endpoint_auth_method": "client_secret_post",
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": "openid read",
        "redirect_uris": ["https://shop.example/cb"],
        "response_modes": ["form_post"],
        "client_uri": "https://shop.example/",
        "logo_uri": "https://shop.example/logo.png",
        "policy_uri": "https://shop.example/policy",
        "tos_uri": "https://shop.example/tos",
        "id_token_signed_response_alg": "ES256",
        "userinfo_signed_response_alg": "ES256",
        "subject_type": "pairwise",
        "default_max_age": 3600,
        "initiate_login_uri": "https://shop.example/in",
        "post_logout_redirect_uris": ["https://shop.example/bye"],
        "backchannel_logout_uri": "https://shop.example/back",
        "backchannel_logout_session_required": true,
        "frontchannel_logout_uri": "https://shop.example/out",
        "frontchannel_logout_session_required": true,
        "tokenhouse_trusted": true,
        "tokenhouse_unverified": true,
        "tokenhouse_audience": ["https://api.example"],
        "tokenhouse_pkce": "optional",
        "tokenhouse_sector_identifier": "shop.example",
        "tokenhouse_access_token_signed_response_alg": "ES256",
        "tokenhouse_access_token_lifetime": 600,
        "tokenhouse_refresh_token_lifetime": 7200,
        "tokenhouse_refresh": {
            "retry_window": 5,
            "lost_response_window": 60,
            "fixed": true,
            "on_repeated": "end_session",
        },
    })
}

#[actix_web::test]
async fn a_client_stays_public_or_confidential_but_may_send_its_secret_another_way() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let (_, secret) = server.add_client("shop", &[GrantType::ClientCredentials], "read").await;
        let public = json!({ "client_id": "spa", "token_endpoint_auth_method": "none" });
        let added = admin_api.post("/admin/v1/clients", &public).await;
        assert_eq!((added.status, &added.body["client_secret"]), (201, &Value::Null), "{}", added.text);

        let method = |method: &str| json!({ "token_endpoint_auth_method": method });
        let posts = admin_api.patch("/admin/v1/clients/shop", &method("client_secret_post")).await;

        assert_eq!(posts.status, 200, "{}", posts.text);
        assert_eq!(token(server, "shop", &secret).await.status, 401, "it is registered to send it in the body");
        let form = [("grant_type", "client_credentials"), ("client_id", "shop"), ("client_secret", &secret)];
        assert_eq!(server.post("/oauth2/token", &form).await.status, 200);
        for (client, method) in [
            ("shop", method("none")),
            ("spa", method("client_secret_basic")),
            ("spa", json!({ "token_endpoint_auth_method": null })),
        ] {
            let refused = admin_api.patch(&format!("/admin/v1/clients/{client}"), &method).await;
            assert_problem(&refused, 400);
            assert!(refused.text.contains("token_endpoint_auth_method: "), "{}", refused.text);
        }
    })
    .await;
}

#[actix_web::test]
async fn what_cannot_be_registered_about_signing_on_is_refused() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let own = "https://shop.example/cb";
        admin_api.post("/admin/v1/clients", &json!({ "client_id": "shop", "redirect_uris": [own] })).await;
        let public = json!({ "client_id": "spa", "token_endpoint_auth_method": "none" });
        admin_api.post("/admin/v1/clients", &public).await;
        let before = admin_api.get("/admin/v1/clients/shop").await.body;
        for change in [
            json!({ "logo_uri": "http://shop.example/logo.png" }),
            json!({ "logo_uri": "javascript:alert(1)" }),
            json!({ "client_uri": "data:text/html,x" }),
            json!({ "policy_uri": "/policy" }),
            json!({ "tos_uri": "https://a@shop.example/" }),
            json!({ "initiate_login_uri": "http://127.0.0.1/in" }),
            json!({ "frontchannel_logout_uri": "https://shop.example/out#x" }),
            json!({ "frontchannel_logout_uri": "https://other.example/out" }),
            json!({ "frontchannel_logout_uri": "https://shop.example:8443/out" }),
            json!({ "id_token_signed_response_alg": "PS256" }),
            json!({ "id_token_signed_response_alg": "none" }),
            json!({ "userinfo_signed_response_alg": "PS256" }),
            json!({ "userinfo_signed_response_alg": "HS256" }),
            json!({ "tokenhouse_sector_identifier": "https://shop.example" }),
            json!({ "tokenhouse_sector_identifier": "Shop.example" }),
            json!({ "tokenhouse_sector_identifier": "shop.example/x" }),
            json!({ "default_max_age": -1 }),
            json!({ "subject_type": "private" }),
            json!({ "tokenhouse_pkce": "plain" }),
            json!({ "unknown": null }),
            json!({ "unknown": 1 }),
        ] {
            let name = change.as_object().unwrap().keys().next().unwrap();
            let mut new = change.clone();
            new["client_id"] = json!("a");
            for refused in [
                admin_api.patch("/admin/v1/clients/shop", &change).await,
                admin_api.post("/admin/v1/clients", &new).await,
            ] {
                assert_problem(&refused, 400);
                assert!(refused.body["detail"].as_str().unwrap().contains(name), "{change}: {}", refused.text);
            }
        }
        for uri in ["http://shop.example/out", "https://shop.example/out#x", "https://a:b@shop.example/", "app.x:/out"]
        {
            let change = json!({ "backchannel_logout_uri": uri });
            assert_problem(&admin_api.patch("/admin/v1/clients/shop", &change).await, 400);
        }
        assert_problem(&admin_api.patch("/admin/v1/clients/spa", &json!({ "tokenhouse_pkce": "optional" })).await, 400);
        assert_eq!(admin_api.get("/admin/v1/clients/shop").await.body, before);
    })
    .await;
}

#[actix_web::test]
async fn while_a_secret_is_rotated_both_work_and_then_one() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let (_, first) = server.add_client("shop", &[GrantType::ClientCredentials], "read").await;

        let rotated = admin_api.post("/admin/v1/clients/shop/rotate-secret", &json!({})).await;

        let second = rotated.body["client_secret"].as_str().unwrap_or_else(|| panic!("{}", rotated.text)).to_owned();
        assert!(rotated.body["old_secret_ends"].is_string());
        for secret in [&first, &second] {
            assert_eq!(token(server, "shop", secret).await.status, 200);
        }
        server.later(Duration::from_hours(24) + Duration::from_secs(1)).await;
        assert_eq!(token(server, "shop", &first).await.status, 401);
        assert_eq!(token(server, "shop", &second).await.status, 200);
        let admin_api = AdminClient::of(server).await;
        let third = admin_api.post("/admin/v1/clients/shop/rotate-secret", &json!({ "now": false })).await;
        assert_eq!(third.status, 200);
        assert_eq!(token(server, "shop", &first).await.status, 401, "at most two are live");
        assert_problem(&admin_api.post("/admin/v1/clients/simplejwt/rotate-secret", &json!({})).await, 400);
        assert_eq!(server.count_events("client_secret_rotated").await, 2);
    })
    .await;
}

#[actix_web::test]
async fn another_secret_waits_until_the_previous_has_ended_or_may_end() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let (_, first) = server.add_client("shop", &[GrantType::ClientCredentials], "read").await;
        let path = "/admin/v1/clients/shop/rotate-secret";
        let secret = |answer: &Answer| answer.body["client_secret"].as_str().unwrap().to_owned();
        let rotated = admin_api.post(path, &json!({})).await;

        let refused = admin_api.post(path, &json!({})).await;

        assert_problem(&refused, 409);
        let end = rotated.body["old_secret_ends"].as_str().unwrap();
        assert!(refused.body["detail"].as_str().unwrap().contains(end), "{}", refused.text);
        for secret in [&first, &secret(&rotated)] {
            assert_eq!(token(server, "shop", secret).await.status, 200, "the refusal has changed nothing");
        }
        let third = admin_api.post(path, &json!({ "now": true })).await;
        assert_eq!(third.status, 200, "{}", third.text);
        assert_eq!(token(server, "shop", &first).await.status, 401, "it was said that it may end");
        for secret in [&secret(&rotated), &secret(&third)] {
            assert_eq!(token(server, "shop", secret).await.status, 200);
        }
        for odd in [json!({ "now": "yes" }), json!({ "later": true }), json!([true])] {
            assert_problem(&admin_api.post(path, &odd).await, 400);
        }
        assert_problem(&admin_api.post("/admin/v1/clients/nobody/rotate-secret", &json!({})).await, 404);
        assert_eq!(server.count_events("client_secret_rotated").await, 2);
    })
    .await;
}

#[actix_web::test]
async fn of_many_who_rotate_a_secret_at_once_one_does_and_both_secrets_work() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let (_, first) = server.add_client("shop", &[GrantType::ClientCredentials], "read").await;
        let second = server.second_instance(server.clock.clone()).await;
        let mut calls = tokio::task::JoinSet::new();
        for number in 0..8 {
            let address = if number % 2 == 0 { server.running.address } else { second.address };
            let path = "/admin/v1/clients/shop/rotate-secret";
            let request = server.request_to(address, reqwest::Method::POST, path).bearer_auth(&admin_api.token);
            calls.spawn(crate::test_server::read(request));
        }
        let answers = calls.join_all().await;

        let (done, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);

        assert_eq!((done.len(), refused.len()), (1, 7));
        assert!(refused.iter().all(|answer| answer.status == 409));
        server.ctx().store.memory.forget_rows();
        for secret in [first.as_str(), done[0].body["client_secret"].as_str().unwrap()] {
            assert_eq!(token(server, "shop", secret).await.status, 200);
        }
        second.stop().await;
    })
    .await;
}

#[actix_web::test]
async fn a_disabled_client_obtains_nothing_until_it_is_enabled() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let (shop, secret) =
            server.add_client("shop", &[GrantType::ClientCredentials, GrantType::RefreshToken], "read").await;
        let session = begin(server, &server.user().await, &shop, "read", &[&server.config.issuer]).await;
        let own = token(server, "shop", &secret).await.body["access_token"].as_str().unwrap().to_owned();

        assert_eq!(admin_api.post("/admin/v1/clients/shop/disable", &Value::Null).await.status, 200);

        assert!([400, 401].contains(&token(server, "shop", &secret).await.status));
        assert!(!is_active(server, &own).await && !is_active(server, &session.access).await);
        server.clock.advance(Duration::from_secs(2));
        assert_eq!(admin_api.post("/admin/v1/clients/shop/enable", &Value::Null).await.status, 200);
        assert_eq!(token(server, "shop", &secret).await.status, 200);
        assert!(!is_active(server, &own).await, "what was obtained before stays over");
        assert!(!is_active(server, &session.access).await);
        assert_eq!(server.count_events("client_disabled").await, 1);
        assert_eq!(server.count_events("client_enabled").await, 1);
    })
    .await;
}

#[actix_web::test]
async fn a_removed_client_whose_name_is_taken_again_is_another() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let (shop, secret) =
            server.add_client("shop", &[GrantType::ClientCredentials, GrantType::RefreshToken], "read").await;
        let session = begin(server, &server.user().await, &shop, "read", &[&server.config.issuer]).await;
        let own = token(server, "shop", &secret).await.body["access_token"].as_str().unwrap().to_owned();

        assert_eq!(admin_api.delete("/admin/v1/clients/shop").await.status, 200);

        assert_problem(&admin_api.get("/admin/v1/clients/shop").await, 404);
        assert_eq!(token(server, "shop", &secret).await.status, 401);
        assert!(!is_active(server, &own).await);
        server.clock.advance(Duration::from_secs(2));
        let (_, new) = server.add_client("shop", &[GrantType::ClientCredentials], "read").await;
        assert_eq!(token(server, "shop", &secret).await.status, 401, "the previous secret is not the new client's");
        assert_eq!(token(server, "shop", &new).await.status, 200);
        assert!(!is_active(server, &own).await, "nor are the previous client's tokens");
        assert!(!is_active(server, &session.access).await);
        assert_problem(&admin_api.delete("/admin/v1/clients/simplejwt").await, 400);
        assert_problem(&admin_api.delete("/admin/v1/clients/nobody").await, 404);
        assert_problem(&admin_api.delete("/admin/v1/clients/%00").await, 404);
    })
    .await;
}

async fn token(server: &TestServer, client: &str, secret: &str) -> Answer {
    server.post_as(client, secret, "/oauth2/token", &[("grant_type", "client_credentials")]).await
}

async fn is_active(server: &TestServer, token: &str) -> bool {
    tokenhouse::token_status::introspection::token_status(server.ctx(), token).await.unwrap().is_some()
}
