//! The SimpleJWT-compatible API: the calls, shapes, statuses and codes of SimpleJWT.

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use tokenhouse::audit::Actor;
use tokenhouse::protocol::GrantType;
use tokenhouse::users;

use crate::test_server::{
    ADMIN, Answer, TestServer, USER, claims, header, on_each_backend, on_each_backend_with, pair, read,
};

/// The four calls and the fields that each needs.
const CALLS: [(&str, &[&str]); 4] = [
    ("/api/token", &["username", "password"]),
    ("/api/token/refresh", &["refresh"]),
    ("/api/token/verify", &["token"]),
    ("/api/token/blacklist", &["refresh"]),
];

#[actix_web::test]
async fn a_name_and_a_password_get_a_pair_that_a_simplejwt_service_understands() {
    on_each_backend(async |server| {
        let answer = server.obtain(USER).await;

        let pair = pair(&answer);
        let access = claims(&pair.access);
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(header(&pair.access)["typ"], "at+jwt");
        assert_eq!(access["token_type"], "access");
        assert_eq!(access["user_id"], access["sub"]);
        assert_eq!(access["client_id"], "simplejwt");
        assert_eq!(access["iss"], server.config.issuer);
        assert_eq!(access["aud"], server.config.issuer);
        assert_eq!(access["exp"].as_i64().unwrap() - access["iat"].as_i64().unwrap(), 300);
        assert_eq!(access["roles"], json!(["reader"]));
        assert_eq!(access["amr"], json!(["pwd"]));
        assert!(access["jti"].is_string());
    })
    .await;
}

#[actix_web::test]
async fn every_call_takes_json_and_forms_with_and_without_the_slash() {
    on_each_backend(async |server| {
        for slash in ["", "/"] {
            for json_body in [true, false] {
                let call = async |path: &str, fields: &[(&str, &str)]| {
                    let answer = send(server, &format!("{path}{slash}"), fields, json_body).await;
                    assert_eq!(answer.status, 200, "{path}{slash} {}", answer.text);
                    assert_eq!(answer.headers["cache-control"], "no-store", "{path}{slash}");
                    assert_eq!(answer.headers["content-type"], "application/json", "{path}{slash}");
                    answer.body
                };
                let obtained = call("/api/token", &[("username", USER.0), ("password", USER.1)]).await;
                let refresh = obtained["refresh"].as_str().unwrap();
                let refreshed = call("/api/token/refresh", &[("refresh", refresh)]).await;
                let successor = refreshed["refresh"].as_str().unwrap();

                assert_eq!(names(&obtained), ["access", "refresh"]);
                assert_eq!(names(&refreshed), ["access", "refresh"]);
                for live in [refreshed["access"].as_str().unwrap(), successor] {
                    assert_eq!(call("/api/token/verify", &[("token", live)]).await, json!({}));
                }
                assert_eq!(call("/api/token/blacklist", &[("refresh", successor)]).await, json!({}));
            }
        }
    })
    .await;
}

#[actix_web::test]
async fn a_field_that_is_missing_or_of_the_wrong_kind_is_named() {
    on_each_backend(async |server| {
        for (path, fields) in CALLS {
            let refused = |why: &str| -> Value { fields.iter().map(|field| (*field, json!([why]))).collect() };
            let filled = |value: Value| -> Value { fields.iter().map(|field| (*field, value.clone())).collect() };
            let blank: Vec<(&str, &str)> = fields.iter().map(|field| (*field, "")).collect();
            let cases = [
                (server.post_json(path, &json!({})).await, refused("This field is required.")),
                (server.post(path, &[]).await, refused("This field is required.")),
                (read(server.request(Method::POST, path)).await, refused("This field is required.")),
                (server.post(path, &blank).await, refused("This field is required.")),
                (server.post_json(path, &filled(json!(""))).await, refused("This field may not be blank.")),
                (server.post_json(path, &filled(Value::Null)).await, refused("This field may not be null.")),
                (server.post_json(path, &filled(json!(["a"]))).await, refused("Not a valid string.")),
                (server.post_json(path, &filled(json!({ "a": "b" }))).await, refused("Not a valid string.")),
                (server.post_json(path, &filled(json!(7))).await, refused("Not a valid string.")),
                (server.post_json(path, &filled(json!(true))).await, refused("Not a valid string.")),
            ];
            for (answer, expected) in cases {
                assert_eq!((answer.status, &answer.body), (400, &expected), "{path}");
                assert_eq!(answer.headers["cache-control"], "no-store", "{path}");
            }
        }
    })
    .await;
}

#[actix_web::test]
async fn a_body_that_cannot_be_read_in_one_way_only_is_refused() {
    on_each_backend(async |server| {
        let deep = format!("{{\"username\":{}", "[".repeat(30_000));
        let json = "application/json";
        let form = "application/x-www-form-urlencoded";
        let cases = [
            (json, r#"{"username":"ada","username":"eve","password":"a fine long password"}"#, 400, "parse_error"),
            (json, r#"{"username":"ada","#, 400, "parse_error"),
            (json, r#"["ada"]"#, 400, "parse_error"),
            (json, r#"{"username":"\ud800","password":"x"}"#, 400, "parse_error"),
            (json, "", 400, "parse_error"),
            (json, &deep, 400, "parse_error"),
            (form, "username=ada&username=eve&password=x", 400, "invalid_request"),
            (form, "username=ada&password=x&password=y", 400, "invalid_request"),
            ("text/plain", "username=ada&password=x", 415, "unsupported_media_type"),
            ("multipart/form-data; boundary=x", "--x--", 415, "unsupported_media_type"),
        ];
        for (content_type, body, status, code) in cases {
            for (path, _) in CALLS {
                let request = server.request(Method::POST, path).header(CONTENT_TYPE, content_type);
                let answer = read(request.body(body.to_owned())).await;
                let what = format!("{path} {content_type} {body:.40}");
                assert_eq!(answer.status, status, "{what} {}", answer.text);
                assert_eq!(answer.body["code"], code, "{what}");
                assert!(answer.body["detail"].is_string(), "{what}");
            }
        }
        let json_with_charset = server
            .request(Method::POST, "/api/token/")
            .header(CONTENT_TYPE, "Application/JSON; charset=utf-8")
            .body(json!({ "username": USER.0, "password": USER.1 }).to_string());
        assert_eq!(read(json_with_charset).await.status, 200);
    })
    .await;
}

#[actix_web::test]
async fn unknown_wrong_and_disabled_look_alike() {
    on_each_backend(async |server| {
        let eve = server.add_user(("eve", "eve has a password"), false).await;
        let off = server.add_user(("off", "off has a password"), false).await;
        users::disable(server.ctx(), off.id, Actor::System).await.unwrap();
        users::remove(server.ctx(), eve.id, Actor::System).await.unwrap();

        let answers = [
            server.obtain((USER.0, "not the password")).await,
            server.obtain(("nobody", "not the password")).await,
            server.obtain(("no\0body", "not the password")).await,
            server.obtain(("off", "off has a password")).await,
            server.obtain(("eve", "eve has a password")).await,
        ];

        for answer in answers {
            assert_eq!(answer.status, 401);
            assert_eq!(
                answer.body,
                json!({
                    "detail": "No active account found with the given credentials",
                    "code": "no_active_account",
                })
            );
            assert_eq!(answer.headers["www-authenticate"], "Bearer realm=\"api\"");
            assert_eq!(answer.headers["cache-control"], "no-store");
        }
    })
    .await;
}

#[actix_web::test]
async fn what_is_no_live_token_of_this_api_is_not_valid() {
    on_each_backend(async |server| {
        let pair = server.pair().await;
        let (client, secret) =
            server.add_client("web", &[GrantType::RefreshToken, GrantType::ClientCredentials], "").await;
        let (_, foreign) = server.begin_session(&client, "").await;
        let service = server.post_as("web", &secret, "/oauth2/token", &[("grant_type", "client_credentials")]).await;
        let service = service.body["access_token"].as_str().unwrap();

        let answers = [
            ("garbage", server.refresh("garbage").await),
            ("an access token", server.refresh(&pair.access).await),
            ("a foreign token", server.refresh(&foreign).await),
            ("garbage", server.verify("garbage").await),
            ("a foreign refresh token", server.verify(&foreign).await),
            ("a foreign access token", server.verify(service).await),
            ("garbage", server.blacklist("garbage").await),
            ("an access token", server.blacklist(&pair.access).await),
            ("a foreign token", server.blacklist(&foreign).await),
        ];

        for (what, answer) in answers {
            assert_eq!(answer.status, 401, "{what}");
            assert_eq!(
                answer.body,
                json!({ "detail": "Token is invalid or expired", "code": "token_not_valid" }),
                "{what}"
            );
        }
        let form = [("grant_type", "refresh_token"), ("refresh_token", foreign.as_str())];
        assert_eq!(server.post_as("web", &secret, "/oauth2/token", &form).await.status, 200, "its session lives on");
    })
    .await;
}

#[actix_web::test]
async fn a_blacklisted_token_takes_its_whole_session_with_it() {
    on_each_backend(async |server| {
        let other = server.pair().await;
        let first = server.pair().await;
        let second = pair(&server.refresh(&first.refresh).await);

        let answer = server.blacklist(&second.refresh).await;

        assert_eq!((answer.status, answer.body), (200, json!({})));
        for dead in [&first.refresh, &second.refresh, &first.access, &second.access] {
            assert_eq!(server.verify(dead).await.status, 401);
        }
        assert_eq!(server.refresh(&first.refresh).await.status, 401);
        assert_eq!(server.refresh(&second.refresh).await.status, 401);
        assert_eq!(server.verify(&other.access).await.status, 200, "another session of the same user lives on");
        assert_eq!(server.blacklist(&second.refresh).await.status, 200, "a retry finds what it asked for");
    })
    .await;
}

#[actix_web::test]
async fn the_built_in_client_is_unknown_at_the_token_endpoint() {
    on_each_backend(async |server| {
        let pair = server.pair().await;
        let form =
            [("grant_type", "refresh_token"), ("refresh_token", pair.refresh.as_str()), ("client_id", "simplejwt")];
        let other = [("grant_type", "client_credentials"), ("client_id", "simplejwt")];

        let refused = server.post("/oauth2/token", &form).await;

        assert_eq!(refused.status, 400, "{}", refused.text);
        assert_eq!(refused.body["error"], "unauthorized_client");
        assert_eq!(server.post("/oauth2/token", &other).await.body["error"], "unauthorized_client");
        assert_eq!(server.record(server.session_of(&pair.refresh)).await.current.number, 0, "nothing was consumed");
        assert_eq!(server.refresh(&pair.refresh).await.status, 200);
    })
    .await;
}

#[actix_web::test]
async fn a_switched_off_api_is_not_there() {
    let off = |config: &mut tokenhouse::config::Config| config.simplejwt.enabled = false;
    on_each_backend_with(off, async |server| {
        for (path, fields) in CALLS {
            let filled: Vec<(&str, &str)> = fields.iter().map(|field| (*field, "anything")).collect();
            let answers = [
                server.post(path, &filled).await,
                server.post(&format!("{path}/"), &filled).await,
                server.post_json(path, &json!({})).await,
                server.post_json(path, &json!(["no object"])).await,
            ];
            for answer in answers {
                assert_eq!(answer.status, 404, "{path} {}", answer.text);
            }
        }
    })
    .await;
}

#[actix_web::test]
async fn rights_over_this_server_are_for_administrators_who_ask_for_them() {
    let elsewhere = |config: &mut tokenhouse::config::Config| {
        config.simplejwt.audience = Some("https://api.example.com".to_owned());
        config.simplejwt.scope = "read write".to_owned();
    };
    on_each_backend_with(elsewhere, async |server| {
        let ask = async |(username, password): (&str, &str), scope: &str| {
            server
                .post_json("/api/token/", &json!({ "username": username, "password": password, "scope": scope }))
                .await
        };

        let plain = claims(&pair(&server.obtain(ADMIN).await).access);
        let admin = claims(&pair(&ask(ADMIN, "tokenhouse:admin read").await).access);
        let some = claims(&pair(&ask(USER, "read").await).access);

        assert_eq!((&plain["scope"], &plain["aud"]), (&json!("read write"), &json!("https://api.example.com")));
        assert_eq!((&admin["scope"], &admin["aud"]), (&json!("tokenhouse:admin read"), &json!(server.config.issuer)));
        assert_eq!((&some["scope"], &some["aud"]), (&json!("read"), &json!("https://api.example.com")));
        for (who, scope) in [
            (USER, "tokenhouse:admin"),
            (USER, "tokenhouse:admin.read"),
            (USER, "read tokenhouse:sessions"),
            (ADMIN, "tokenhouse:introspect"),
            (ADMIN, "delete"),
            (USER, "two  spaces"),
        ] {
            let refused = ask(who, scope).await;
            assert_eq!(refused.status, 400, "{scope}: {}", refused.text);
            assert_eq!(refused.body["code"], "invalid_scope", "{scope}");
        }
        assert_eq!(ask((USER.0, "not the password"), "tokenhouse:admin").await.status, 401, "who asks comes first");
    })
    .await;
}

async fn send(server: &TestServer, path: &str, fields: &[(&str, &str)], json_body: bool) -> Answer {
    if json_body {
        let body: Value = fields.iter().map(|(name, value)| (*name, json!(value))).collect();
        server.post_json(path, &body).await
    } else {
        server.post(path, fields).await
    }
}

fn names(body: &Value) -> Vec<&str> {
    body.as_object().unwrap().keys().map(String::as_str).collect()
}

#[actix_web::test]
async fn rights_over_this_server_are_for_administrators_even_where_they_are_the_default() {
    on_each_backend_with(
        |config| config.simplejwt.scope = "notes:read tokenhouse:sessions".to_owned(),
        async |server| {
            assert_eq!(server.obtain(USER).await.status, 400);
            assert_eq!(server.obtain(ADMIN).await.status, 200);
        },
    )
    .await;
}

#[actix_web::test]
async fn a_body_of_very_many_fields_is_not_read() {
    on_each_backend(async |server| {
        let fields: serde_json::Map<String, Value> = (0..33).map(|n| (format!("field{n}"), json!(0))).collect();

        let answer = server.post_json("/api/token/verify/", &Value::Object(fields)).await;

        assert_eq!((answer.status, &answer.body["code"]), (400, &json!("parse_error")));
    })
    .await;
}
