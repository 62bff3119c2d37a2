//! The operators' listener, and the OpenAPI document.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokenhouse::http::routes::{self, Access};

use crate::support::private_redis::PrivateRedis;
use crate::test_server::{Answer, Backend, TestServer, USER, on_each_backend, read};

#[actix_web::test]
async fn a_server_that_is_well_says_so_to_operators_and_not_to_the_public() {
    on_each_backend(async |server| {
        let operations = server.running.operations;

        let live = at(server, operations, "/health/live").await;
        let ready = at(server, operations, "/health/ready").await;

        assert_eq!((live.status, live.body), (200, json!({ "status": "alive" })));
        let all_well =
            json!({ "ready": true, "database": true, "ephemeral_store": true, "signing_key": true, "draining": false });
        assert_eq!((ready.status, ready.body), (200, all_well));
        for path in ["/health/live", "/health/ready", "/metrics", "/health", "/debug"] {
            assert_eq!(server.get(path).await.status, 404, "{path}");
        }
        for path in ["/api/token/", "/admin/v1/users", "/.well-known/jwks.json", "/openapi.json"] {
            assert_eq!(at(server, operations, path).await.status, 404, "{path}");
        }
    })
    .await;
}

#[actix_web::test]
async fn metrics_count_requests_by_endpoint_and_status_and_hold_nothing_private() {
    on_each_backend(async |server| {
        let pair = server.pair().await;
        server.obtain((USER.0, "a wrong password")).await;
        server.get("/status/of/nobody?token=s3cr3t").await;
        server.get("/nothing/of/nobody?token=s3cr3t").await;

        let metrics = at(server, server.running.operations, "/metrics").await;

        assert!(metrics.headers["content-type"].to_str().unwrap().starts_with("text/plain"));
        for line in [
            "tokenhouse_http_request_seconds_count{route=\"/api/token/\",status=\"200\"}",
            "tokenhouse_http_request_seconds_count{route=\"/api/token/\",status=\"401\"}",
            "tokenhouse_http_request_seconds_count{route=\"/status/{list}\",status=\"404\"}",
            "tokenhouse_http_request_seconds_count{route=\"none\",status=\"404\"}",
            "tokenhouse_http_request_seconds_bucket{route=\"none\",status=\"404\",le=\"0.01\"}",
        ] {
            assert!(metrics.text.contains(line), "{line} is not in\n{}", metrics.text);
        }
        for private in [pair.access.as_str(), "s3cr3t", "nobody"] {
            assert!(!metrics.text.contains(private), "{private}");
        }
    })
    .await;
}

#[actix_web::test]
async fn a_server_whose_redis_is_away_lives_and_is_not_ready() {
    if crate::support::only_sqlite() {
        return;
    }
    let Some(mut redis) = PrivateRedis::start(&[]) else { return };
    let url = redis.url();
    let settings =
        |config: &mut tokenhouse::config::Config| config.redis.url = Some(tokenhouse::model::Secret::new(url.clone()));
    let server = TestServer::open(Backend::Embedded, &settings).await;
    let operations = server.running.operations;
    assert_eq!(at(&server, operations, "/health/ready").await.status, 200);

    redis.kill();

    let ready = at(&server, operations, "/health/ready").await;
    assert_eq!((ready.status, &ready.body["ephemeral_store"]), (503, &json!(false)), "{}", ready.text);
    assert_eq!(ready.body["database"], true);
    assert_eq!(at(&server, operations, "/health/live").await.status, 200);
    redis.launch();
    for _ in 0..200 {
        if at(&server, operations, "/health/ready").await.status == 200 {
            return server.close().await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not ready although Redis is back");
}

#[actix_web::test]
async fn a_server_that_is_stopping_says_so_while_it_still_answers() {
    let settings = |config: &mut tokenhouse::config::Config| {
        config.shutdown.announce = tokenhouse::config::Duration::millis(700);
    };
    let server = TestServer::open(Backend::Embedded, &settings).await;
    let second = server.second_instance(server.clock.clone()).await;
    let (public, operations) = (second.address, second.operations);

    let stopping = tokio::spawn(second.stop());
    tokio::time::sleep(Duration::from_millis(100)).await;

    let ready = at(&server, operations, "/health/ready").await;
    assert_eq!((ready.status, &ready.body["draining"]), (503, &json!(true)));
    assert_eq!(at(&server, operations, "/health/live").await.status, 200);
    assert_eq!(at(&server, public, "/.well-known/jwks.json").await.status, 200);
    stopping.await.unwrap();
    assert!(server.http.get(format!("http://{public}/.well-known/jwks.json")).send().await.is_err());
    server.close().await;
}

#[actix_web::test]
async fn the_openapi_document_has_every_endpoint_and_who_may_call_it() {
    on_each_backend(async |server| {
        let answer = server.get("/openapi.json").await;
        assert_eq!(answer.headers["content-type"], "application/json");
        let mut documented = BTreeSet::new();
        for (path, item) in answer.body["paths"].as_object().unwrap() {
            for method in item.as_object().unwrap().keys() {
                documented.insert((method.to_uppercase(), path.clone()));
            }
        }
        let has_twin = |path: &str| routes::ALL.iter().any(|other| other.path == format!("{path}/"));
        let mut declared = BTreeSet::new();
        // A browser's preliminary question is no endpoint of its own.
        let own = |route: &&routes::Route| !has_twin(route.path) && route.method.as_str() != "OPTIONS";
        for route in routes::ALL.iter().filter(own) {
            declared.insert((route.method.to_string(), route.path.to_owned()));
            let operation = &answer.body["paths"][route.path][route.method.as_str().to_lowercase()];
            let expected = match route.access {
                Access::Open | Access::Person => serde_json::Value::Null,
                Access::Client => json!([{ "client": [] }, {}]),
                Access::Bearer(scopes) => scopes.iter().map(|scope| json!({ "bearer": [scope] })).collect(),
            };
            assert_eq!(operation["security"], expected, "{} {}", route.method, route.path);
        }
        assert_eq!(documented, declared);
        assert_eq!(answer.body["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
    })
    .await;
}

async fn at(server: &TestServer, address: SocketAddr, path: &str) -> Answer {
    read(server.http.request(Method::GET, format!("http://{address}{path}"))).await
}
