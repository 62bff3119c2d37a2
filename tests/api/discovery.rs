//! What the server tells others about itself: metadata (RFC 8414) and keys (RFC 7517).

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation};
use reqwest::Method;
use reqwest::header::{HOST, IF_NONE_MATCH};
use serde_json::{Value, json};
use tokenhouse::audit::Actor;
use tokenhouse::clients;
use tokenhouse::model::SigningAlgorithm;
use tokenhouse::protocol::{GrantType, MergePatch};
use tokenhouse_verifier::{KeySet, Verifier};

use crate::test_server::{TestServer, USER, claims, header, on_each_backend, on_each_backend_with, pair, read};

#[actix_web::test]
async fn the_metadata_promises_what_is_there() {
    on_each_backend(async |server| {
        let answer = server.get("/.well-known/oauth-authorization-server").await;

        let metadata = &answer.body;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["access-control-allow-origin"], "*");
        assert_eq!(metadata["issuer"], server.config.issuer);
        for name in ["token_endpoint", "introspection_endpoint", "revocation_endpoint"] {
            let url = metadata[name].as_str().unwrap();
            let there = server.post(url.strip_prefix(&server.config.issuer).unwrap(), &[]).await;
            assert_eq!(there.body["error"], "invalid_client", "{name}");
        }
        for name in ["jwks_uri", "service_documentation"] {
            let url = metadata[name].as_str().unwrap();
            let there = server.get(url.strip_prefix(&server.config.issuer).unwrap()).await;
            assert!(there.status == 200 && there.body.is_object(), "{name}");
        }
        for grant in metadata["grant_types_supported"].as_array().unwrap() {
            let form = [
                ("grant_type", grant.as_str().unwrap()),
                ("client_id", "nobody"),
                ("refresh_token", "x"),
                ("code", "x"),
            ];
            assert_eq!(server.post("/oauth2/token", &form).await.body["error"], "invalid_client", "{grant}");
        }
        assert_eq!(
            metadata["grant_types_supported"],
            json!(["authorization_code", "client_credentials", "refresh_token"])
        );
        let methods = json!(["none", "client_secret_basic", "client_secret_post"]);
        assert_eq!(metadata["token_endpoint_auth_methods_supported"], methods);
    })
    .await;
}

#[actix_web::test]
async fn no_header_of_a_request_changes_the_issuer_or_a_link() {
    on_each_backend(async |server| {
        let poisoned = |method: Method, path: &str| {
            server
                .request(method, path)
                .header(HOST, "evil.example")
                .header("X-Forwarded-Host", "evil.example")
                .header("X-Forwarded-Proto", "gopher")
                .header("X-Forwarded-Port", "666")
                .header("X-Forwarded-Prefix", "/evil")
                .header("Forwarded", "host=evil.example;proto=gopher")
                .header("X-Original-URL", "/evil")
                .header("X-Rewrite-URL", "/evil")
        };
        for path in ["/.well-known/oauth-authorization-server", "/openapi.json", "/.well-known/jwks.json"] {
            assert_eq!(read(poisoned(Method::GET, path)).await.text, server.get(path).await.text, "{path}");
        }
        let body = json!({ "username": USER.0, "password": USER.1 });
        let pair = pair(&read(poisoned(Method::POST, "/api/token/").json(&body)).await);
        assert_eq!(claims(&pair.access)["iss"], server.config.issuer);
        assert_eq!(claims(&pair.access)["aud"], server.config.issuer);
        assert_eq!(claims(&pair.refresh)["iss"], server.config.issuer);
    })
    .await;
}

#[actix_web::test]
async fn the_published_keys_are_public_and_may_be_kept_for_a_while() {
    on_each_backend(async |server| {
        let answer = server.get("/.well-known/jwks.json").await;

        assert_eq!(answer.headers["content-type"], "application/json");
        assert_eq!(answer.headers["cache-control"], "public, max-age=300");
        assert_eq!(answer.headers["access-control-allow-origin"], "*");
        let keys = answer.body["keys"].as_array().unwrap();
        assert!(keys.len() >= 2, "there is always a next key");
        for key in keys {
            let mut names: Vec<&str> = key.as_object().unwrap().keys().map(String::as_str).collect();
            names.sort_unstable();
            assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
            assert_eq!(key["use"], "sig");
        }
        let etag = answer.headers["etag"].to_str().unwrap();
        let ask = async |tag: &str| {
            read(server.request(Method::GET, "/.well-known/jwks.json").header(IF_NONE_MATCH, tag)).await
        };
        for known in [etag, "*", &format!("W/{etag}"), &format!("\"other\", {etag}")] {
            let unchanged = ask(known).await;
            assert_eq!((unchanged.status, unchanged.text.as_str()), (304, ""), "{known}");
            assert_eq!(unchanged.headers["etag"], etag);
            assert_eq!(unchanged.headers["cache-control"], "public, max-age=300");
        }
        for other in ["\"other\"", "", etag.trim_matches('"')] {
            assert_eq!(ask(other).await.status, 200, "{other}");
        }
    })
    .await;
}

#[actix_web::test]
async fn tokens_verify_offline_against_the_published_keys() {
    let algorithms = |config: &mut tokenhouse::config::Config| {
        config.keys.additional_algorithms = vec![SigningAlgorithm::Es384, SigningAlgorithm::EdDsa];
    };
    on_each_backend_with(algorithms, async |server| {
        let jwks = server.get("/.well-known/jwks.json").await;
        let mut tokens = vec![("ES256", server.pair().await.access)];
        for (name, algorithm) in [("ES384", SigningAlgorithm::Es384), ("EdDSA", SigningAlgorithm::EdDsa)] {
            tokens.push((name, client_token(server, algorithm).await));
        }

        let keys = KeySet::from_jwks(&jwks.text).unwrap();
        let verifier = Verifier::new(server.config.issuer.clone(), [server.config.issuer.clone()]);
        let elsewhere = Verifier::new(server.config.issuer.clone(), ["https://elsewhere.example"]);
        let now = server.clock.now().seconds();
        for (algorithm, token) in &tokens {
            assert_eq!(header(token)["alg"], *algorithm);
            assert_eq!(verifier.verify(token, &keys, now).unwrap().sub, claims(token)["sub"]);
            elsewhere.verify(token, &keys, now).unwrap_err();
            assert_eq!(verified_by_others(server, &jwks.body, token)["jti"], claims(token)["jti"]);
        }
    })
    .await;
}

/// The claims, checked by a library that knows nothing of this server.
fn verified_by_others(server: &TestServer, jwks: &Value, token: &str) -> Value {
    let jwks: JwkSet = serde_json::from_value(jwks.clone()).unwrap();
    let header = jsonwebtoken::decode_header(token).unwrap();
    let key = jwks.find(&header.kid.unwrap()).unwrap();
    let mut rules = Validation::new(header.alg);
    rules.set_issuer(&[&server.config.issuer]);
    rules.set_audience(&[&server.config.issuer]);
    rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    jsonwebtoken::decode(token, &DecodingKey::from_jwk(key).unwrap(), &rules).unwrap().claims
}

async fn client_token(server: &TestServer, algorithm: SigningAlgorithm) -> String {
    let id = format!("{algorithm:?}");
    let (client, secret) = server.add_client(&id, &[GrantType::ClientCredentials], "read").await;
    let change = MergePatch::default().with("tokenhouse_access_token_signed_response_alg", algorithm.as_str());
    clients::change(server.ctx(), &client.id, change, Actor::System).await.unwrap();
    let answer = server.post_as(&id, &secret, "/oauth2/token", &[("grant_type", "client_credentials")]).await;
    answer.body["access_token"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn what_may_be_got_may_be_asked_for_its_headers_alone() {
    on_each_backend(async |server| {
        let answer = read(server.request(Method::HEAD, "/.well-known/jwks.json")).await;

        assert_eq!((answer.status, answer.text.as_str()), (200, ""));
        assert!(answer.headers.contains_key("etag"));
        assert_eq!(read(server.request(Method::HEAD, "/admin/v1/users")).await.status, 401);
        assert_eq!(read(server.request(Method::HEAD, "/oauth2/token")).await.status, 405);
    })
    .await;
}
