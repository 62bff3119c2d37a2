//! Who may pass which endpoint: deny by default. The table of routes is walked, so that a new endpoint cannot be
//! forgotten.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokenhouse::audit::Actor;
use tokenhouse::http::routes::{self, Access, Route};
use tokenhouse::model::EndReason;
use tokenhouse::protocol::{GrantType, scope};

use super::{assert_problem, begin};
use crate::test_server::{ADMIN, Answer, TestServer, on_each_backend, pair, read};

/// Scopes that a user could hold who is not a full administrator.
const NARROW: [&str; 4] = [scope::ADMIN_READ, scope::SESSIONS, scope::INTROSPECT, "reports:read"];

#[actix_web::test]
async fn every_admin_endpoint_is_shut_to_those_who_show_no_token_of_ours() {
    on_each_backend(async |server| {
        let refresh = server.pair().await.refresh;
        for (method, path, _) in endpoints() {
            let nobody = read(server.request(method.clone(), &path)).await;
            assert_problem(&nobody, 401);
            assert_eq!(nobody.headers["www-authenticate"], "Bearer realm=\"tokenhouse\"", "{method} {path}");
            let detail = nobody.body["detail"].as_str().unwrap();
            assert_eq!(detail, "send an access token: `Authorization: Bearer …`", "{method} {path}");

            let basic = read(server.request(method.clone(), &path).basic_auth(ADMIN.0, Some(ADMIN.1))).await;
            assert_problem(&basic, 401);
            for token in ["", "garbage", "a.b.c", &refresh, &unsigned(server)] {
                let refused = server.admin(token, method.clone(), &path, None).await;
                assert_problem(&refused, 401);
            }
        }
    })
    .await;
}

#[actix_web::test]
async fn every_admin_endpoint_wants_one_of_its_scopes() {
    on_each_backend(async |server| {
        let plain = server.pair().await.access;
        let user = server.user().await;
        let (client, _) = server.add_client("narrow", &[GrantType::RefreshToken], &NARROW.join(" ")).await;
        let issuer = server.config.issuer.as_str();
        let mut narrow = Vec::new();
        for scope in NARROW {
            narrow.push((scope, begin(server, &user, &client, scope, &[issuer]).await.access));
        }
        for (method, path, scopes) in endpoints() {
            assert_problem(&server.admin(&plain, method.clone(), &path, None).await, 403);
            for (scope, token) in &narrow {
                let answer = server.admin(token, method.clone(), &path, None).await;
                let passed = ![401, 403].contains(&answer.status);
                assert_eq!(passed, scopes.contains(scope), "{method} {path} with {scope}: {}", answer.text);
                if !passed {
                    assert_problem(&answer, 403);
                    assert!(answer.headers["www-authenticate"].to_str().unwrap().contains("insufficient_scope"));
                }
            }
        }
    })
    .await;
}

#[actix_web::test]
async fn a_token_that_was_good_elsewhere_or_earlier_opens_no_admin_endpoint() {
    on_each_backend(async |server| {
        let (client, _) = server.add_client("other", &[GrantType::RefreshToken], "tokenhouse:admin").await;
        let elsewhere =
            begin(server, &server.user().await, &client, scope::ADMIN, &["https://api.example"]).await.access;
        let revoked = server.admin_token().await;
        let session = crate::test_server::claims(&revoked)["sid"].as_str().unwrap().parse().unwrap();
        tokenhouse::sessions::end_one(server.ctx(), session, EndReason::Admin, Actor::System).await.unwrap();
        let expired = server.admin_token().await;

        server.clock.advance(Duration::from_secs(301));

        let fresh = server.admin_token().await;
        assert_eq!(server.admin(&fresh, Method::GET, "/admin/v1/users", None).await.status, 200);
        for (method, path, _) in endpoints() {
            for (what, token) in [("elsewhere", &elsewhere), ("revoked", &revoked), ("expired", &expired)] {
                let refused = server.admin(token, method.clone(), &path, None).await;
                assert_eq!(refused.status, 401, "{what} at {method} {path}: {}", refused.text);
            }
        }
    })
    .await;
}

#[actix_web::test]
async fn what_the_table_does_not_declare_does_not_open() {
    on_each_backend(async |server| {
        let admin = server.admin_token().await;
        let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"];
        for (_, path, _) in endpoints() {
            for method in methods.map(|method| Method::from_bytes(method.as_bytes()).unwrap()) {
                // HEAD opens where GET does.
                let asked = if method == Method::HEAD { Method::GET } else { method.clone() };
                if endpoints().any(|(declared, endpoint, _)| declared == asked && endpoint == path) {
                    continue;
                }
                assert_eq!(server.admin("garbage", method.clone(), &path, None).await.status, 401, "{method} {path}");
                assert_eq!(server.admin(&admin, method.clone(), &path, None).await.status, 403, "{method} {path}");
            }
        }
        for path in [
            "/admin",
            "/admin/",
            "/admin/v1",
            "/admin/v1/",
            "/admin/v1/nothing",
            "/admin/v2/users",
            "/ADMIN/v1/users",
            "/admin/v1/users/",
            "//admin/v1/users",
            "/admin/v1//users",
            "/admin/v1/users%2f",
            "/admin%2fv1/users",
            "/admin/v1/users;a=b",
            "/admin/v1/users/%2e%2e%2fkeys",
        ] {
            for token in [&admin, "garbage"] {
                let answer = server.admin(token, Method::GET, path, None).await;
                assert!([401, 404].contains(&answer.status), "{path}: {} {}", answer.status, answer.text);
            }
        }
    })
    .await;
}

#[actix_web::test]
async fn only_administrators_are_given_scopes_of_this_server() {
    on_each_backend(async |server| {
        for scope in [scope::ADMIN, scope::ADMIN_READ, scope::SESSIONS, scope::INTROSPECT, "tokenhouse:anything"] {
            let (username, password) = crate::test_server::USER;
            let body = json!({ "username": username, "password": password, "scope": scope });
            let refused = server.post_json("/api/token/", &body).await;
            assert_eq!(refused.status, 400, "{scope}: {}", refused.text);
        }
    })
    .await;
}

#[actix_web::test]
async fn a_bearer_needs_the_authorization_header_and_nothing_else_will_do() {
    on_each_backend(async |server| {
        let token = server.admin_token().await;
        let in_query = server.get(&format!("/admin/v1/users?access_token={token}")).await;
        let as_cookie =
            read(server.request(Method::GET, "/admin/v1/users").header("cookie", format!("access_token={token}")));
        let in_form = read(server.request(Method::POST, "/admin/v1/users").form(&[("access_token", &token)]));
        let method = "/admin/v1/users/00000000-0000-0000-0000-000000000000/disable";
        let overridden = read(server.request(Method::POST, method).header("x-http-method-override", "GET"));

        assert_problem(&in_query, 401);
        for answer in [as_cookie.await, in_form.await, overridden.await] {
            assert_problem(&answer, 401);
        }
        let twice = server.request(Method::GET, "/admin/v1/users").bearer_auth("no token").bearer_auth(&token);
        assert_problem(&read(twice).await, 400);
        let lower_case =
            read(server.request(Method::GET, "/admin/v1/users").header("authorization", format!("bearer {token}")));
        assert_eq!(lower_case.await.status, 200);
    })
    .await;
}

/// Each admin endpoint: its method, an address of it at which nothing is found, and its scopes.
fn endpoints() -> impl Iterator<Item = (Method, String, &'static [&'static str])> {
    let bearers = routes::ALL.iter().filter_map(|route| match route.access {
        Access::Bearer(scopes) => Some((method(route), address(route), scopes)),
        Access::Open | Access::Person | Access::Client => {
            assert!(!route.path.starts_with("/admin"), "{} is not guarded", route.path);
            None
        }
    });
    assert!(routes::ALL.iter().filter(|route| matches!(route.access, Access::Bearer(_))).count() > 20);
    bearers
}

fn method(route: &Route) -> Method {
    Method::from_bytes(route.method.as_str().as_bytes()).unwrap()
}

fn address(route: &Route) -> String {
    let nobody = uuid::Uuid::nil().to_string();
    route.path.replace("{sid}", &nobody).replace("{id}", &nobody).replace("{kid}", &nobody)
}

/// Our own claims under `alg: none`.
fn unsigned(server: &TestServer) -> String {
    use base64::Engine;
    let encode = |value: serde_json::Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    let now = server.clock.now().seconds();
    let issuer = &server.config.issuer;
    let claims = json!({ "iss": issuer, "aud": issuer, "sub": "x", "client_id": "simplejwt", "iat": now, "exp": now + 60,
        "jti": "x", "scope": scope::ADMIN });
    format!("{}.{}.", encode(json!({ "typ": "at+jwt", "alg": "none" })), encode(claims))
}

#[actix_web::test]
async fn a_bearer_of_the_right_scope_passes() {
    on_each_backend(async |server| {
        for (scope, path) in [
            (scope::ADMIN_READ, "/admin/v1/audit"),
            (scope::SESSIONS, "/admin/v1/sessions"),
            (scope::ADMIN, "/admin/v1/keys"),
        ] {
            let body = json!({ "username": ADMIN.0, "password": ADMIN.1, "scope": scope });
            let token = pair(&server.post_json("/api/token/", &body).await).access;
            let answer: Answer = server.admin(&token, Method::GET, path, None).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
        }
    })
    .await;
}
