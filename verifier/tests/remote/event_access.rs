//! How a service comes to the events: its credentials, its token, and what it does without.

use tokenhouse_verifier::remote::DiscoveryError;

use crate::events::is_revoked;
use crate::issuer::FakeIssuer;
use crate::server::Page;
use crate::signer::with;
use crate::stream::Teller;

#[tokio::test]
async fn a_service_shows_its_credentials_for_a_token_and_the_token_for_events() {
    let teller = Teller::start().await;
    let _issuer = teller.listener().await;

    let asked = &teller.fake.server.requests("/token")[0];
    assert!(asked.starts_with("POST "));
    assert_eq!(crate::server::header(asked, "authorization"), Some("Basic bGlzdGVuZXI6czNjcmV0"));
    assert!(asked.ends_with("grant_type=client_credentials&scope=tokenhouse%3Aevents"));
    assert_eq!(teller.last_request("authorization").as_deref(), Some("Bearer stream-token"));
    assert_eq!(teller.last_request("last-event-id"), None);
}

#[tokio::test]
async fn the_access_token_is_renewed_before_it_is_over() {
    let teller = Teller::start().await;
    teller.put_token("short", 1);
    let issuer = teller.listener().await;
    teller.put_token("next", 3600);
    teller.heartbeat(7);

    teller.is_heard(2).await;
    assert_eq!(teller.last_request("authorization").as_deref(), Some("Bearer next"));
    assert_eq!(teller.last_request("last-event-id").as_deref(), Some("7"));
    teller.revoke(8, 9);
    is_revoked(&issuer, &teller.fake.token(9)).await;
}

#[tokio::test]
async fn a_token_that_is_not_accepted_is_not_shown_again() {
    let teller = Teller::start().await;
    let stream = Page::status(401);
    let _issuer = teller.listener().await;
    teller.fake.server.put("/events", stream);
    teller.put_token("next", 3600);
    teller.hang_up();

    teller.is_heard(3).await;
    assert_eq!(teller.last_request("authorization").as_deref(), Some("Bearer next"));
}

#[tokio::test]
async fn a_service_that_is_given_no_token_follows_the_lists() {
    let teller = Teller::start().await;
    teller.fake.server.put("/token", Page::status(401));
    let issuer = teller.builder().discover().await.unwrap();

    teller.fake.put_list(0, &[9]);

    is_revoked(&issuer, &teller.fake.token(9)).await;
    assert_eq!(teller.fake.server.asked("/events"), 0);
}

#[tokio::test]
async fn a_service_whose_issuer_has_no_events_follows_the_lists() {
    let fake = FakeIssuer::start().await;
    let issuer = fake.builder().follow_events("listener", "s3cret").discover().await.unwrap();

    fake.put_list(0, &[9]);

    is_revoked(&issuer, &fake.token(9)).await;
}

#[tokio::test]
async fn neither_credentials_nor_token_are_taken_to_another_origin() {
    for endpoint in ["token_endpoint", "status_events_endpoint"] {
        let teller = Teller::start().await;
        let foreign = with(teller.fake.metadata(), endpoint, "https://evil.example/");
        teller.fake.put_metadata(&foreign);

        let refused = teller.builder().discover().await.unwrap_err();

        let DiscoveryError::ForeignAddress { what, .. } = refused else { panic!("{refused}") };
        assert_eq!(what, endpoint);
    }
}
