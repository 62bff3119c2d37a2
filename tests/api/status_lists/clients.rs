//! Tokens without a session: their status index is their client's, until they are revoked.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokenhouse::clock::Clock;
use tokenhouse::protocol::GrantType;

use super::instances::{soon_revoked, until_revoked};
use super::{index, indexes, revoked};
use crate::admin::AdminClient;
use crate::test_server::{TestServer, backends, new_client, on_each_backend, read};

/// Two clients that act for themselves, `worker` and `other`, and their secrets.
async fn workers(server: &TestServer) -> (String, String) {
    let mut worker = new_client("worker", &[GrantType::ClientCredentials], "read write");
    worker.metadata.audience = vec![server.config.issuer.clone()];
    let secret = server.add_new_client(worker).await.1.unwrap();
    let (_, other) = server.add_client("other", &[GrantType::ClientCredentials], "read").await;
    (secret, other)
}

async fn token_of(server: &TestServer, client: &str, secret: &str) -> String {
    let form = [("grant_type", "client_credentials"), ("scope", "read")];
    let answer = server.post_as(client, secret, "/oauth2/token", &form).await;
    answer.body["access_token"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned()
}

async fn succeeds(admin_api: &AdminClient<'_>, path: &str, body: &Value) {
    let answer = admin_api.post(path, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

#[actix_web::test]
async fn a_revocation_by_client_takes_its_own_tokens_along_and_no_later_ones() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let (secret, other) = workers(server).await;
        let (own, foreign) = (token_of(server, "worker", &secret).await, token_of(server, "other", &other).await);

        succeeds(&admin_api, "/admin/v1/revocations", &json!({ "client": "worker" })).await;
        assert_eq!(revoked(server).await, indexes([&own]));
        let later = token_of(server, "worker", &secret).await;
        assert_ne!(index(&later), index(&own));
        assert_eq!(index(&token_of(server, "other", &other).await), index(&foreign));

        succeeds(&admin_api, "/admin/v1/revocations", &json!({ "client": "worker" })).await;
        assert_eq!(revoked(server).await, indexes([&own, &later]));
        // The second revocation may have come within the second to which the later token is dated.
        for token in [&own, &later] {
            let answer = server.post_as("worker", &secret, "/oauth2/introspect", &[("token", token)]).await;
            assert_eq!(answer.body["active"], false);
        }
    })
    .await;
}

#[actix_web::test]
async fn a_revocation_of_everything_takes_the_tokens_of_all_clients_along() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let (secret, other) = workers(server).await;
        let (one, two) = (token_of(server, "worker", &secret).await, token_of(server, "other", &other).await);

        succeeds(&admin_api, "/admin/v1/revocations", &json!({ "all": true })).await;
        let now_revoked = revoked(server).await;
        assert!(now_revoked.is_superset(&indexes([&one, &two, &admin_api.token])));
        let later = [token_of(server, "worker", &secret).await, token_of(server, "other", &other).await];
        assert!(now_revoked.is_disjoint(&indexes(&later)));
    })
    .await;
}

#[actix_web::test]
async fn tokens_that_a_moment_spares_are_not_revoked() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let (secret, _) = workers(server).await;
        server.later(Duration::from_hours(1)).await;
        let own = token_of(server, "worker", &secret).await;

        let admin_api = AdminClient { token: server.admin_token().await, ..admin_api };
        let half_an_hour_ago = server.clock.now().minus(Duration::from_mins(30));
        let before = json!({ "client": "worker", "issued_before": half_an_hour_ago });
        succeeds(&admin_api, "/admin/v1/revocations", &before).await;
        assert!(soon_revoked(server).await.is_empty());
        let answer = server.post_as("worker", &secret, "/oauth2/introspect", &[("token", &own)]).await;
        assert_eq!(answer.body["active"], true);
    })
    .await;
}

#[actix_web::test]
async fn a_client_that_is_disabled_or_removed_loses_its_own_tokens() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let (secret, _) = workers(server).await;
        let first = token_of(server, "worker", &secret).await;

        succeeds(&admin_api, "/admin/v1/clients/worker/disable", &json!({})).await;
        assert_eq!(revoked(server).await, indexes([&first]));
        succeeds(&admin_api, "/admin/v1/clients/worker/enable", &json!({})).await;
        let second = token_of(server, "worker", &secret).await;
        assert_eq!(revoked(server).await, indexes([&first]));
        assert_eq!(admin_api.delete("/admin/v1/clients/worker").await.status, 200);
        assert_eq!(revoked(server).await, indexes([&first, &second]));
    })
    .await;
}

#[actix_web::test]
async fn a_client_that_loses_scope_or_audience_loses_its_own_tokens_and_one_that_gains_does_not() {
    on_each_backend(async |server| {
        let admin_api = AdminClient::of(server).await;
        let (secret, _) = workers(server).await;
        let first = token_of(server, "worker", &secret).await;

        let set = async |body: Value| assert_eq!(admin_api.patch("/admin/v1/clients/worker", &body).await.status, 200);
        set(json!({ "scope": "read write more", "client_name": "Worker" })).await;
        set(json!({ "tokenhouse_audience": [server.config.issuer, "https://api.example"] })).await;
        assert!(revoked(server).await.is_empty());
        set(json!({ "scope": "read" })).await;
        assert_eq!(revoked(server).await, indexes([&first]));
        let second = token_of(server, "worker", &secret).await;
        set(json!({ "tokenhouse_audience": ["https://api.example"] })).await;
        assert_eq!(revoked(server).await, indexes([&first, &second]));
    })
    .await;
}

#[actix_web::test]
async fn other_instances_and_restarts_know_the_indexes_that_clients_had() {
    for backend in backends() {
        let server = TestServer::open(backend, &|_| {}).await;
        let other = server.second_instance(Clock::system()).await;
        let (secret, _) = workers(&server).await;
        let own = token_of(&server, "worker", &secret).await;

        let admin_api = AdminClient::of(&server).await;
        succeeds(&admin_api, "/admin/v1/revocations", &json!({ "client": "worker" })).await;
        until_revoked(&server, other.address, &own).await;
        let form = [("grant_type", "client_credentials")];
        let request = server.request_to(other.address, Method::POST, "/oauth2/token");
        let later = read(request.basic_auth("worker", Some(&secret)).form(&form)).await;
        assert_ne!(index(later.body["access_token"].as_str().unwrap()), index(&own), "the other instance knows too");
        other.stop().await;
        let server = server.restart().await;
        assert_eq!(revoked(&server).await, indexes([&own]));
        server.close().await;
    }
}
