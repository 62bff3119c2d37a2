//! The token endpoint: client credentials, and what it makes of odd requests.

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, COOKIE};
use serde_json::json;
use tokenhouse::protocol::GrantType;

use crate::test_server::{Answer, TestServer, claims, header, new_client, on_each_backend, read};

const OURS: [(&str, &str); 1] = [("grant_type", "client_credentials")];

#[actix_web::test]
async fn a_client_gets_a_token_for_itself() {
    on_each_backend(async |server| {
        let secret = service(server).await;

        let answer = server.post_as("svc", &secret, "/oauth2/token", &OURS).await;

        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(answer.headers["content-type"], "application/json");
        let mut names: Vec<&str> = answer.body.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["access_token", "expires_in", "scope", "token_type"], "no refresh token");
        assert_eq!((&answer.body["token_type"], &answer.body["expires_in"]), (&json!("Bearer"), &json!(300)));
        let token = answer.body["access_token"].as_str().unwrap();
        let (head, says) = (header(token), claims(token));
        assert_eq!((&head["typ"], &head["alg"]), (&json!("at+jwt"), &json!("ES256")));
        let mut names: Vec<&str> = says.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["aud", "client_id", "exp", "iat", "iss", "jti", "scope", "status", "sub"]);
        assert_eq!((&says["sub"], &says["client_id"], &says["scope"]), (&json!("svc"), &json!("svc"), &json!("a b c")));
        assert_eq!((&says["iss"], &says["aud"]), (&json!(server.config.issuer), &json!(["urn:one", "urn:two"])));
        assert_eq!(says["exp"].as_i64().unwrap() - says["iat"].as_i64().unwrap(), 300);
        let other = server.post_as("svc", &secret, "/oauth2/token", &OURS).await;
        assert_ne!(claims(other.body["access_token"].as_str().unwrap())["jti"], says["jti"]);
    })
    .await;
}

#[actix_web::test]
async fn rights_over_this_server_are_for_this_server_alone() {
    on_each_backend(async |server| {
        let mut new =
            crate::test_server::new_client("svc", &[GrantType::ClientCredentials], "tokenhouse:admin.read read");
        new.audience = vec!["urn:one".to_owned(), server.config.issuer.clone()];
        let secret = server.add_new_client(new).await.1.unwrap();
        let ask = async |extra: &[(&str, &str)]| {
            server.post_as("svc", &secret, "/oauth2/token", &[&OURS, extra].concat()).await
        };

        let all = ask(&[]).await;
        assert_eq!(claims(all.body["access_token"].as_str().unwrap())["aud"], json!(server.config.issuer));
        let both = [("resource", "urn:one"), ("resource", server.config.issuer.as_str())];
        assert_refused(&ask(&both).await, 400, "invalid_target");
        assert_refused(&ask(&both[..1]).await, 400, "invalid_target");
        let without = ask(&[&both[..], &[("scope", "read")]].concat()).await;
        let audience = &claims(without.body["access_token"].as_str().unwrap())["aud"];
        assert_eq!(*audience, json!([server.config.issuer, "urn:one"]));
    })
    .await;
}

#[actix_web::test]
async fn scope_and_resource_may_be_less_and_never_more() {
    on_each_backend(async |server| {
        let secret = service(server).await;
        let ask = async |extra: &[(&str, &str)]| {
            let form = [&OURS, extra].concat();
            server.post_as("svc", &secret, "/oauth2/token", &form).await
        };

        let both = json!(["urn:one", "urn:two"]);
        for (asked, scope, audience) in [
            ("scope=c a", "c a", &both),
            ("scope=a a", "a", &both),
            ("scope=", "a b c", &both),
            ("resource=urn:two", "a b c", &json!("urn:two")),
            ("resource=urn:one&resource=urn:two", "a b c", &both),
            ("resource=urn:one&resource=urn:one", "a b c", &json!("urn:one")),
        ] {
            let extra: Vec<_> = asked.split('&').map(|part| part.split_once('=').unwrap()).collect();
            let answer = ask(&extra).await;
            let says = claims(answer.body["access_token"].as_str().unwrap());
            assert_eq!((&answer.body["scope"], &says["scope"]), (&json!(scope), &json!(scope)), "{asked}");
            assert_eq!(says["aud"], *audience, "{asked}");
        }
        let hundred_and_one: Vec<String> = (0..101).map(|number| format!("s{number}")).collect();
        for (extra, error) in [
            (("scope", "a d"), "invalid_scope"),
            (("scope", "tokenhouse:admin"), "invalid_scope"),
            (("scope", "a  b"), "invalid_scope"),
            (("scope", "é"), "invalid_scope"),
            (("scope", &hundred_and_one.join(" ")), "invalid_scope"),
            (("resource", "urn:three"), "invalid_target"),
            (("resource", "urn:one#fragment"), "invalid_target"),
            (("resource", &server.config.issuer), "invalid_target"),
        ] {
            assert_refused(&ask(&[extra]).await, 400, error);
        }
    })
    .await;
}

#[actix_web::test]
async fn only_the_grants_that_are_offered_and_registered_are_served() {
    on_each_backend(async |server| {
        let secret = service(server).await;
        let (_, other) = server.add_client("other", &[GrantType::RefreshToken], "").await;

        for grant in ["password", "simplejwt", "implicit", "CLIENT_CREDENTIALS", "client_credentials "] {
            let form = [("grant_type", grant), ("username", "ada"), ("password", "a fine long password")];
            assert_refused(
                &server.post_as("svc", &secret, "/oauth2/token", &form).await,
                400,
                "unsupported_grant_type",
            );
        }
        assert_refused(&server.post_as("other", &other, "/oauth2/token", &OURS).await, 400, "unauthorized_client");
        let refresh = [("grant_type", "refresh_token"), ("refresh_token", "x")];
        assert_refused(&server.post_as("svc", &secret, "/oauth2/token", &refresh).await, 400, "unauthorized_client");
        let garbage = server.post_as("other", &other, "/oauth2/token", &refresh).await;
        assert_refused(&garbage, 400, "invalid_grant");
    })
    .await;
}

#[actix_web::test]
async fn a_request_that_can_be_read_in_two_ways_or_none_is_invalid() {
    on_each_backend(async |server| {
        let secret = service(server).await;
        let form = "application/x-www-form-urlencoded";
        let cases = [
            (form, "", "invalid_request"),
            (form, "scope=a", "invalid_request"),
            (form, "grant_type=", "invalid_request"),
            (form, "grant_type=client_credentials&grant_type=client_credentials", "invalid_request"),
            (form, "grant_type=client_credentials&scope=a&scope=b", "invalid_request"),
            (form, "grant_type=client_credentials&anything=1&anything=2", "invalid_request"),
            (form, "grant_type=client_credentials&client_id=svc&client_id=svc", "invalid_request"),
            (form, "grant_type=refresh_token", "invalid_request"),
            ("application/json", r#"{"grant_type":"client_credentials"}"#, "invalid_request"),
            ("text/plain", "grant_type=client_credentials", "invalid_request"),
            ("multipart/form-data; boundary=x", "--x--", "invalid_request"),
        ];
        for (content_type, body, error) in cases {
            let request = server.request(Method::POST, "/oauth2/token").basic_auth("svc", Some(&secret));
            let answer = read(request.header(CONTENT_TYPE, content_type).body(body)).await;
            assert_refused(&answer, 400, error);
        }
        // A query is not looked at (RFC 6749 section 3.2), an unknown parameter is ignored (section 3.2 too).
        let query = server.request(Method::POST, "/oauth2/token?grant_type=client_credentials");
        assert_refused(&read(query.basic_auth("svc", Some(&secret))).await, 400, "invalid_request");
        let unknown = [OURS[0], ("unknown", "x"), ("empty", "")];
        assert_eq!(server.post_as("svc", &secret, "/oauth2/token", &unknown).await.status, 200);
    })
    .await;
}

#[actix_web::test]
async fn what_is_too_large_is_refused_unread() {
    on_each_backend(async |server| {
        let secret = service(server).await;
        for path in ["/oauth2/token", "/oauth2/introspect", "/oauth2/revoke", "/api/token/", "/api/token/verify/"] {
            let large = "x".repeat(64 * 1024 + 1);
            let body = server.request(Method::POST, path).basic_auth("svc", Some(&secret)).form(&[("token", &large)]);
            let answer = read(body).await;
            assert_eq!(answer.status, 413, "{path}");
            assert_eq!(answer.headers["cache-control"], "no-store", "{path}");
            let headers = server.request(Method::POST, path).header(COOKIE, "x".repeat(17 * 1024)).form(&OURS);
            assert_eq!(read(headers).await.status, 431, "{path}");
        }
        let json = server.obtain(("ada", &"x".repeat(64 * 1024))).await;
        assert_eq!((json.status, &json.body["code"]), (413, &json!("invalid_request")));
        let large = "x".repeat(64 * 1024 - 100);
        let form = [OURS[0], ("unknown", large.as_str())];
        assert_eq!(
            server.post_as("svc", &secret, "/oauth2/token", &form).await.status,
            200,
            "up to the limit all is well"
        );
    })
    .await;
}

#[actix_web::test]
async fn another_method_is_not_allowed() {
    on_each_backend(async |server| {
        for path in ["/oauth2/token", "/oauth2/introspect", "/oauth2/revoke", "/api/token/", "/api/token/verify"] {
            for method in [Method::GET, Method::PUT, Method::DELETE, Method::HEAD, Method::OPTIONS, Method::PATCH] {
                let answer = read(server.request(method.clone(), path)).await;
                assert_eq!(answer.status, 405, "{method} {path}");
                assert_eq!(answer.headers["allow"], "POST", "{method} {path}");
            }
        }
        assert_eq!(read(server.request(Method::POST, "/.well-known/jwks.json")).await.status, 405);
    })
    .await;
}

/// A client for itself with three scopes and two audiences; returns its secret.
async fn service(server: &TestServer) -> String {
    let mut new = new_client("svc", &[GrantType::ClientCredentials], "a b c");
    new.audience = vec!["urn:one".to_owned(), "urn:two".to_owned()];
    server.add_new_client(new).await.1.unwrap()
}

fn assert_refused(answer: &Answer, status: u16, error: &str) {
    assert_eq!((answer.status, &answer.body["error"]), (status, &json!(error)), "{}", answer.text);
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert!(answer.body["error_description"].is_string());
}
