//! The layers of tower.

use axum::body::Body;
use axum::routing::get;
use axum::{Extension, Router};
use http::header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Request, Response};
use tokenhouse_verifier::tower::{RequireScopeLayer, VerifyLayer};
use tokenhouse_verifier::{AccessToken, Issuer};
use tower::ServiceExt as _;

use crate::issuer::{FakeIssuer, sign};
use crate::server::Page;
use crate::signer::{SIGNER, with};

async fn who(Extension(access): Extension<AccessToken>) -> String {
    access.sub
}

fn app(issuer: &Issuer) -> Router {
    Router::new()
        .route("/notes", get(who).layer(RequireScopeLayer::new("notes:read")))
        .route("/admin", get(who).layer(RequireScopeLayer::new("admin")))
        .layer(VerifyLayer::new(issuer.clone()))
}

/// Status, challenge and body of the answer to a request with these `Authorization` headers.
async fn ask(app: Router, path: &str, headers: &[&str]) -> (u16, Option<String>, String) {
    let mut request = Request::get(path);
    for value in headers {
        request = request.header(AUTHORIZATION, *value);
    }
    let answer: Response<Body> = app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let challenge = answer.headers().get(WWW_AUTHENTICATE).map(|value| value.to_str().unwrap().to_owned());
    let status = answer.status().as_u16();
    assert_eq!(answer.headers().contains_key(RETRY_AFTER), status == 503);
    let body = axum::body::to_bytes(answer.into_body(), 1000).await.unwrap();
    (status, challenge, String::from_utf8(body.to_vec()).unwrap())
}

fn refused(status: u16, challenge: &str) -> (u16, Option<String>, String) {
    (status, Some(challenge.to_owned()), String::new())
}

#[tokio::test]
async fn a_good_token_reaches_the_service_with_its_claims() {
    let fake = FakeIssuer::start().await;
    let issuer = fake.discover().await;

    let answer = ask(app(&issuer), "/notes", &[&format!("Bearer {}", fake.token(1))]).await;

    assert_eq!(answer, (200, None, "alice".to_owned()));
}

#[tokio::test]
async fn what_is_not_let_in_is_told_as_little_as_it_needs() {
    let fake = FakeIssuer::start().await;
    fake.put_list(0, &[9]);
    let issuer = fake.discover().await;
    let (good, revoked) = (format!("Bearer {}", fake.token(1)), format!("Bearer {}", fake.token(9)));

    assert_eq!(ask(app(&issuer), "/notes", &[]).await, refused(401, "Bearer"));
    let invalid_token = refused(401, r#"Bearer error="invalid_token""#);
    assert_eq!(ask(app(&issuer), "/notes", &[&revoked]).await, invalid_token);
    let invalid_request = refused(400, r#"Bearer error="invalid_request""#);
    assert_eq!(ask(app(&issuer), "/notes", &[&good, &good]).await, invalid_request);
    let missing = refused(403, r#"Bearer error="insufficient_scope", scope="admin""#);
    assert_eq!(ask(app(&issuer), "/admin", &[&good]).await, missing);
    fake.server.cut_off(true);
    fake.advance(61);
    assert_eq!(ask(app(&issuer), "/notes", &[&good]).await, (503, None, String::new()));
}

#[tokio::test]
async fn the_layer_waits_for_the_first_token_of_a_new_key() {
    let fake = FakeIssuer::start().await;
    let other = serde_json::json!({"keys": [SIGNER.jwks["keys"][1]]});
    fake.server.put("/jwks", Page::new(&other).with_header("cache-control", "max-age=3600"));
    let cool_down = std::time::Duration::from_millis(20);
    let issuer = fake.builder().key_cool_down(cool_down).discover().await.unwrap();
    fake.server.put("/jwks", Page::new(&SIGNER.jwks).with_header("cache-control", "max-age=3600"));
    tokio::time::sleep(2 * cool_down).await;

    let answer = ask(app(&issuer), "/notes", &[&format!("Bearer {}", sign(&fake.claims()))]).await;

    assert_eq!(answer, (200, None, "alice".to_owned()));
}

#[tokio::test]
async fn a_token_that_is_bound_to_a_key_is_not_let_in_as_a_bearer_token() {
    let fake = FakeIssuer::start().await;
    let issuer = fake.discover().await;
    let cnf = serde_json::json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"});
    let bound = sign(&with(fake.claims(), "cnf", cnf));

    let answer = ask(app(&issuer), "/notes", &[&format!("Bearer {bound}")]).await;

    assert_eq!((answer.0, answer.2), (401, String::new()));
}

#[tokio::test]
async fn a_scope_that_is_asked_for_without_a_token_lets_nobody_in() {
    let app = Router::new().route("/notes", get(who).layer(RequireScopeLayer::new("notes:read")));
    assert_eq!(ask(app, "/notes", &[]).await, (500, None, String::new()));
}
