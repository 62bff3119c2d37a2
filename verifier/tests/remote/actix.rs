//! The extractor of actix-web.

use actix_web::http::header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App, web};
use serde::Deserialize;
use tokenhouse_verifier::actix::{Access, AccessWith, Rejection};

use crate::issuer::{FakeIssuer, sign};
use crate::server::Page;
use crate::signer::{SIGNER, with};

async fn notes(access: Access) -> Result<String, Rejection> {
    access.require_scope("notes:read")?;
    Ok(access.sub.clone())
}

async fn admin(access: Access) -> Result<String, actix_web::Error> {
    access.require_scope("admin")?;
    Ok(access.sub.clone())
}

#[derive(Deserialize)]
struct Tenant {
    tenant: String,
}

async fn tenant(AccessWith(access, claims): AccessWith<Tenant>) -> String {
    format!("{} of {}", access.sub, claims.tenant)
}

/// Status, challenge and body of the answer to a request with these `Authorization` headers.
async fn ask(issuer: &tokenhouse_verifier::Issuer, path: &str, headers: &[&str]) -> (u16, Option<String>, String) {
    let app = App::new()
        .app_data(issuer.clone())
        .route("/notes", web::get().to(notes))
        .route("/admin", web::get().to(admin))
        .route("/tenant", web::get().to(tenant));
    let app = init_service(app).await;
    let mut request = TestRequest::get().uri(path);
    for value in headers {
        request = request.append_header((AUTHORIZATION, *value));
    }
    let answer = call_service(&app, request.to_request()).await;
    let challenge = answer.headers().get(WWW_AUTHENTICATE).map(|value| value.to_str().unwrap().to_owned());
    let status = answer.status().as_u16();
    assert_eq!(answer.headers().contains_key(RETRY_AFTER), status == 503);
    (status, challenge, String::from_utf8(read_body(answer).await.to_vec()).unwrap())
}

fn refused(status: u16, challenge: &str) -> (u16, Option<String>, String) {
    (status, Some(challenge.to_owned()), String::new())
}

#[tokio::test]
async fn a_good_token_reaches_the_handler() {
    let fake = FakeIssuer::start().await;
    let issuer = fake.discover().await;

    for scheme in ["Bearer", "bearer", "BEARER"] {
        let answer = ask(&issuer, "/notes", &[&format!("{scheme} {}", fake.token(1))]).await;
        assert_eq!(answer, (200, None, "alice".to_owned()));
    }
}

#[tokio::test]
async fn a_request_without_a_token_is_told_no_error() {
    let fake = FakeIssuer::start().await;
    let issuer = fake.discover().await;
    let in_the_query = format!("/notes?access_token={}", fake.token(1));

    assert_eq!(ask(&issuer, "/notes", &[]).await, refused(401, "Bearer"));
    assert_eq!(ask(&issuer, "/notes", &["Basic YTpi"]).await, refused(401, "Bearer"));
    assert_eq!(ask(&issuer, &in_the_query, &[]).await, refused(401, "Bearer"));
}

#[tokio::test]
async fn a_bad_token_and_a_bad_header_are_told_apart() {
    let fake = FakeIssuer::start().await;
    fake.put_list(0, &[9]);
    let issuer = fake.discover().await;
    let bearer = format!("Bearer {}", fake.token(1));
    let revoked = format!("Bearer {}", fake.token(9));

    let invalid_token = refused(401, r#"Bearer error="invalid_token""#);
    assert_eq!(ask(&issuer, "/notes", &["Bearer x"]).await, invalid_token);
    assert_eq!(ask(&issuer, "/notes", &[&revoked]).await, invalid_token);
    let invalid_request = refused(400, r#"Bearer error="invalid_request""#);
    assert_eq!(ask(&issuer, "/notes", &[&bearer, &bearer]).await, invalid_request);
}

#[tokio::test]
async fn a_missing_scope_is_named() {
    let fake = FakeIssuer::start().await;
    let issuer = fake.discover().await;

    let answer = ask(&issuer, "/admin", &[&format!("Bearer {}", fake.token(1))]).await;

    assert_eq!((answer.0, answer.1.as_deref()), (403, Some(r#"Bearer error="insufficient_scope", scope="admin""#)));
}

#[tokio::test]
async fn a_stale_list_is_answered_with_503_and_signs_nobody_out() {
    let fake = FakeIssuer::start().await;
    let issuer = fake.discover().await;
    fake.server.cut_off(true);
    fake.advance(61);

    let answer = ask(&issuer, "/notes", &[&format!("Bearer {}", fake.token(1))]).await;

    assert_eq!(answer, (503, None, String::new()));
}

#[tokio::test]
async fn additional_claims_are_typed() {
    let fake = FakeIssuer::start().await;
    let issuer = fake.discover().await;
    let with_tenant = sign(&with(fake.claims(), "tenant", "north"));

    let answer = ask(&issuer, "/tenant", &[&format!("Bearer {with_tenant}")]).await;
    assert_eq!(answer, (200, None, "alice of north".to_owned()));
    let without = ask(&issuer, "/tenant", &[&format!("Bearer {}", sign(&fake.claims()))]).await;
    assert_eq!(without, refused(401, r#"Bearer error="invalid_token""#));
}

#[tokio::test]
async fn the_first_token_of_a_new_key_is_let_in() {
    let fake = FakeIssuer::start().await;
    let other = serde_json::json!({"keys": [SIGNER.jwks["keys"][1]]});
    fake.server.put("/jwks", Page::new(&other).with_header("cache-control", "max-age=3600"));
    let cool_down = std::time::Duration::from_millis(20);
    let issuer = fake.builder().key_cool_down(cool_down).require_status(false).discover().await.unwrap();
    fake.server.put("/jwks", Page::new(&SIGNER.jwks).with_header("cache-control", "max-age=3600"));
    tokio::time::sleep(2 * cool_down).await;

    let answer = ask(&issuer, "/notes", &[&format!("Bearer {}", sign(&fake.claims()))]).await;

    assert_eq!(answer, (200, None, "alice".to_owned()));
}

#[tokio::test]
async fn an_application_without_an_issuer_lets_nobody_in() {
    let app = init_service(App::new().route("/notes", web::get().to(notes))).await;
    let answer = call_service(&app, TestRequest::get().uri("/notes").to_request()).await;
    assert_eq!(answer.status(), 500);
}
