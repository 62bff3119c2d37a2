//! How an issuer is found.

use serde_json::json;
use tokenhouse_verifier::Issuer;
use tokenhouse_verifier::remote::DiscoveryError;

use crate::issuer::FakeIssuer;
use crate::server::{Page, Server};
use crate::signer::{AUDIENCE, SIGNER, with};

#[tokio::test]
async fn an_issuer_is_found_by_its_url_alone() {
    let fake = FakeIssuer::start().await;

    let issuer = fake.discover().await;

    assert_eq!(issuer.verify(&fake.token(1)).unwrap().sub, "alice");
    assert_eq!(issuer.staleness().unwrap().as_secs(), 0);
}

#[tokio::test]
async fn the_document_of_openid_connect_serves_as_well() {
    let fake = FakeIssuer::start().await;
    fake.server.put("/.well-known/oauth-authorization-server", Page::status(404));
    fake.server.put("/.well-known/openid-configuration", Page::new(&fake.metadata()));

    assert!(fake.discover().await.verify(&fake.token(1)).is_ok());
}

#[tokio::test]
async fn an_issuer_may_have_a_path() {
    let server = Server::start().await;
    let issuer = format!("{}/tenant", server.url);
    let metadata = json!({"issuer": issuer, "jwks_uri": format!("{}/keys", server.url)});
    server.put("/.well-known/oauth-authorization-server/tenant", Page::new(&metadata));
    server.put("/keys", Page::new(&SIGNER.jwks));

    assert!(Issuer::discover(issuer, [AUDIENCE]).await.is_ok());
}

#[tokio::test]
async fn metadata_of_another_issuer_is_refused() {
    let fake = FakeIssuer::start().await;
    for other in [format!("{}/", fake.url()), "https://id.example.com".to_owned()] {
        fake.put_metadata(&with(fake.metadata(), "issuer", other.clone()));
        let refused = fake.builder().discover().await.unwrap_err();
        assert!(matches!(refused, DiscoveryError::AnotherIssuer { found } if found == other));
    }
}

#[tokio::test]
async fn keys_and_lists_are_read_at_the_issuers_origin_or_at_one_that_was_allowed() {
    let (fake, other) = (FakeIssuer::start().await, Server::start().await);
    other.put("/jwks", Page::new(&SIGNER.jwks));
    for member in ["jwks_uri", "status_list_aggregation_endpoint"] {
        fake.put_metadata(&with(fake.metadata(), member, format!("{}/jwks", other.url)));
        let refused = fake.builder().discover().await.unwrap_err();
        assert!(matches!(refused, DiscoveryError::ForeignAddress { what, .. } if what == member));
    }
    assert_eq!(other.asked_at_all(), 0);

    fake.put_metadata(&with(fake.metadata(), "jwks_uri", format!("{}/jwks", other.url)));
    assert!(fake.builder().allow_origin(&other.url).discover().await.is_ok());
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (fake, other) = (FakeIssuer::start().await, Server::start().await);
    other.put("/", Page::new(&SIGNER.jwks));
    fake.server.put("/jwks", Page::status(307).with_header("location", &format!("{}/", other.url)));

    assert!(matches!(fake.builder().discover().await, Err(DiscoveryError::Unreadable { .. })));
    assert_eq!(other.asked_at_all(), 0);
}

#[tokio::test]
async fn what_is_missing_malformed_or_too_long_is_named() {
    let fake = FakeIssuer::start().await;
    let long = format!("{}{}", fake.metadata(), " ".repeat(256 * 1024));
    for page in [Page::status(500), Page::new(&long)] {
        fake.server.put("/.well-known/oauth-authorization-server", page);
        let refused = fake.builder().discover().await.unwrap_err();
        assert!(matches!(&refused, DiscoveryError::Unreadable { url, .. } if url.starts_with(fake.url())), "{refused}");
    }
    fake.put_metadata(&json!({"issuer": fake.url()}));
    assert!(matches!(fake.builder().discover().await, Err(DiscoveryError::Malformed(_))));

    fake.put_metadata(&fake.metadata());
    fake.server.put("/jwks", Page::new(&r#"{"keys":[]}"#));
    let refused = fake.builder().discover().await.unwrap_err();
    assert!(refused.to_string().contains("/jwks"), "{refused}");
}
