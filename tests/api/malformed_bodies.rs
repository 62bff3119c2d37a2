//! Whatever is sent, an answer comes that a client can understand.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use tokenhouse::config::{Config, Rate};
use tokenhouse::protocol::GrantType;

use crate::test_server::{Answer, USER, on_each_backend_with, read};

const OAUTH: [&str; 3] = ["/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"];
const SIMPLEJWT: [&str; 4] = ["/api/token/", "/api/token/refresh/", "/api/token/verify/", "/api/token/blacklist/"];

/// RFC 6749 section 5.2, RFC 8707 section 2, RFC 7009 section 2.2.1.
const OAUTH_ERRORS: [&str; 8] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "invalid_target",
    "unsupported_token_type",
];

const SIMPLEJWT_CODES: [&str; 6] = [
    "no_active_account",
    "token_not_valid",
    "parse_error",
    "unsupported_media_type",
    "invalid_request",
    "invalid_scope",
];

/// A request to be sent.
#[derive(Debug, Clone)]
struct Odd {
    path: &'static str,
    authenticated: bool,
    content_type: &'static str,
    body: Vec<u8>,
}

#[actix_web::test]
async fn five_hundred_odd_bodies_of_each_kind_get_answers_from_the_list() {
    let unlimited = |config: &mut Config| config.limits.by_account = Rate::Off;
    on_each_backend_with(unlimited, async |server| {
        let (client, secret) =
            server.add_client("app", &[GrantType::ClientCredentials, GrantType::RefreshToken], "read").await;
        let (_, refresh) = server.begin_session(&client, "read").await;
        let simplejwt = server.pair().await;
        let known =
            vec![secret.clone(), refresh, simplejwt.refresh, simplejwt.access, USER.0.to_owned(), USER.1.to_owned()];
        let mut runner = TestRunner::deterministic();

        for kind in [forms(known.clone()).boxed(), documents(known).boxed()] {
            for _ in 0..500 {
                let odd = kind.new_tree(&mut runner).unwrap().current();
                let mut request = server.request(Method::POST, odd.path).header(CONTENT_TYPE, odd.content_type);
                if odd.authenticated {
                    request = request.basic_auth("app", Some(&secret));
                }
                judge(&odd, &read(request.body(odd.body.clone())).await);
            }
        }
    })
    .await;
}

fn judge(odd: &Odd, answer: &Answer) {
    let text = String::from_utf8_lossy(&odd.body);
    let what = || format!("{odd:?} {text}: {} {}", answer.status, answer.text);
    assert!(answer.status < 500, "{}", what());
    assert_eq!(answer.headers["cache-control"], "no-store", "{}", what());
    if answer.status == 200 {
        return;
    }
    assert!([400, 401, 413, 415].contains(&answer.status), "{}", what());
    let is_listed = |code: &Value, list: &[&str]| list.iter().any(|known| code == known);
    if OAUTH.contains(&odd.path) {
        assert!(is_listed(&answer.body["error"], &OAUTH_ERRORS), "{}", what());
        assert_eq!(answer.status == 401, answer.body["error"] == "invalid_client", "{}", what());
        assert_eq!(answer.headers.contains_key("www-authenticate"), answer.status == 401, "{}", what());
    } else if let Some(code) = answer.body.get("code") {
        assert!(is_listed(code, &SIMPLEJWT_CODES), "{}", what());
    } else {
        let fields = ["username", "password", "refresh", "token", "scope"];
        assert!(answer.body.as_object().unwrap().keys().all(|name| fields.contains(&name.as_str())), "{}", what());
    }
}

fn forms(known: Vec<String>) -> impl Strategy<Value = Odd> {
    let pairs = prop::collection::vec((name(), value(known)), 0..6);
    let form = prop_oneof![
        6 => pairs.prop_map(|pairs| {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            form.extend_pairs(pairs);
            form.finish().into_bytes()
        }),
        1 => "([a-z_]{0,8}[=&%+;]{0,3}){0,8}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..200),
    ];
    (paths(), any::<bool>(), form).prop_map(|(path, authenticated, body)| Odd {
        path,
        authenticated,
        content_type: "application/x-www-form-urlencoded",
        body,
    })
}

fn documents(known: Vec<String>) -> impl Strategy<Value = Odd> {
    let leaf = prop_oneof![
        4 => value(known).prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(json!([])),
        1 => Just(json!({ "a": [1, { "b": null }] })),
    ];
    let object = prop::collection::btree_map(name(), leaf, 0..5);
    let document = prop_oneof![
        6 => object.prop_map(|object| serde_json::to_vec(&object).unwrap()),
        1 => "[\\[\\]{}\",:0-9a-z\\\\]{0,60}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..200),
    ];
    let content_type =
        prop_oneof![9 => Just("application/json"), 1 => Just("text/plain"), 1 => Just("application/cbor")];
    (paths(), any::<bool>(), content_type, document).prop_map(|(path, authenticated, content_type, body)| Odd {
        path,
        authenticated,
        content_type,
        body,
    })
}

fn paths() -> impl Strategy<Value = &'static str> {
    prop::sample::select([&OAUTH[..], &SIMPLEJWT[..]].concat())
}

fn name() -> impl Strategy<Value = String> {
    let known = [
        "grant_type",
        "scope",
        "resource",
        "refresh_token",
        "client_id",
        "client_secret",
        "token",
        "token_type_hint",
        "username",
        "password",
        "refresh",
    ];
    prop_oneof![9 => prop::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => any::<String>()]
}

fn value(known: Vec<String>) -> impl Strategy<Value = String> {
    let words =
        ["", "client_credentials", "refresh_token", "password", "app", "simplejwt", "read", "a  b", "\0", "é", "a.b.c"];
    prop_oneof![
        4 => prop::sample::select(words.to_vec()).prop_map(str::to_owned),
        3 => prop::sample::select(known),
        2 => any::<String>(),
        1 => Just("x".repeat(3000)),
    ]
}
