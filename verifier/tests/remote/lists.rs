//! How the status lists are followed.

use std::time::Duration;

use serde_json::json;
use tokenhouse_verifier::remote::OnStale;
use tokenhouse_verifier::{Issuer, Refusal};

use crate::issuer::{FakeIssuer, eventually, gzip, sign, sign_list, zlib};
use crate::server::{Page, Server, header};
use crate::signer::{SIGNER, encode, with};

async fn is_revoked(issuer: &Issuer, token: &str) {
    eventually("the token is refused", || issuer.verify(token) == Err(Refusal::Revoked)).await;
}

#[tokio::test]
async fn a_revoked_token_is_refused_and_its_neighbours_are_not() {
    let fake = FakeIssuer::start().await;
    let issuer = fake.discover().await;
    assert!(issuer.verify(&fake.token(9)).is_ok());

    fake.put_list(0, &[9]);

    is_revoked(&issuer, &fake.token(9)).await;
    assert!(issuer.verify(&fake.token(8)).is_ok() && issuer.verify(&fake.token(10)).is_ok());
    let outside = issuer.verify(&fake.token(1024));
    assert_eq!(outside, Err(Refusal::OutsideStatusList { index: 1024 }));
}

#[tokio::test]
async fn a_service_that_is_cut_off_refuses_with_503_beyond_the_stated_staleness() {
    let fake = FakeIssuer::start().await;
    fake.put_list(0, &[9]);
    let issuer = fake.discover().await;
    fake.server.cut_off(true);

    fake.advance(60);
    assert!(issuer.verify(&fake.token(1)).is_ok());
    fake.advance(1);
    let refusal = issuer.verify(&fake.token(1)).unwrap_err();
    assert_eq!(refusal, Refusal::StatusStale { seconds: 61 });
    assert_eq!((refusal.http_status(), refusal.challenge()), (503, None));
    assert_eq!(issuer.staleness(), Some(Duration::from_secs(61)));
    assert_eq!(issuer.verify(&fake.token(9)), Err(Refusal::Revoked), "what is known stays known");

    fake.put_list(0, &[9]);
    fake.server.cut_off(false);
    eventually("the token is accepted again", || issuer.verify(&fake.token(1)).is_ok()).await;
}

#[tokio::test]
async fn a_service_may_choose_to_accept_what_it_knows_nothing_against() {
    let fake = FakeIssuer::start().await;
    fake.put_list(0, &[9]);
    let issuer = fake.builder().on_stale(OnStale::Accept).discover().await.unwrap();
    fake.server.cut_off(true);

    fake.advance(40_000);

    assert!(issuer.verify(&fake.token(1)).is_ok());
    assert!(issuer.verify(&fake.token_at(&fake.uri(5), 1)).is_ok());
    assert_eq!(issuer.verify(&fake.token(9)), Err(Refusal::Revoked));
}

#[tokio::test]
async fn how_old_a_list_is_is_told_by_itself_and_not_by_when_it_was_read() {
    let fake = FakeIssuer::start().await;
    let old = fake.list(0, &[]);
    fake.put_signed(0, &with(old, "exp", fake.now() + 1000));
    fake.advance(90);

    let issuer = fake.discover().await;

    assert_eq!(issuer.verify(&fake.token(1)), Err(Refusal::StatusStale { seconds: 90 }));
    assert_eq!(issuer.staleness(), Some(Duration::from_secs(90)));
}

#[tokio::test]
async fn an_older_list_takes_nothing_back() {
    let fake = FakeIssuer::start().await;
    let older = fake.list(0, &[]);
    fake.advance(1);
    fake.put_list(0, &[9]);
    let issuer = fake.discover().await;

    fake.put_signed(0, &older);
    fake.lists_are_read_again().await;

    assert_eq!(issuer.verify(&fake.token(9)), Err(Refusal::Revoked));
}

#[tokio::test]
async fn a_list_of_an_instance_whose_clock_is_right_counts_beside_one_from_the_future() {
    let fake = FakeIssuer::start().await;
    let ahead = fake.list(0, &[8]);
    fake.put_signed(0, &with(ahead, "iat", fake.now() + 50));
    let issuer = fake.discover().await;

    fake.advance(1);
    fake.put_list(0, &[9]);

    is_revoked(&issuer, &fake.token(9)).await;
    assert_eq!(issuer.verify(&fake.token(8)), Err(Refusal::Revoked), "nothing is taken back");
    assert!(issuer.verify(&fake.token(7)).is_ok());
    fake.advance(109);
    let age = Some(Duration::from_mins(1));
    assert_eq!(issuer.staleness(), age, "it is as old as the newer one says");
    fake.advance(1);
    assert_eq!(issuer.verify(&fake.token(7)), Err(Refusal::StatusStale { seconds: 61 }));
}

#[tokio::test]
async fn an_older_list_that_has_expired_revokes_nothing() {
    let fake = FakeIssuer::start().await;
    let older = fake.list(0, &[9]);
    fake.advance(120);
    fake.put_list(0, &[]);
    let issuer = fake.discover().await;

    fake.put_signed(0, &older);
    fake.lists_are_read_again().await;

    assert!(issuer.verify(&fake.token(9)).is_ok());
}

#[tokio::test]
async fn a_service_with_a_greater_leeway_keeps_a_revocation_for_longer() {
    let fake = FakeIssuer::start().await;
    fake.put_list(0, &[9]);
    let issuer = fake.builder().leeway_seconds(300).discover().await.unwrap();

    fake.advance(1);
    fake.put_list(0, &[]);
    fake.lists_are_read_again().await;
    fake.advance(359);
    fake.put_list(0, &[]);
    fake.lists_are_read_again().await;
    assert_eq!(issuer.verify(&fake.token(9)), Err(Refusal::Revoked));

    fake.advance(1);
    fake.put_list(0, &[]);
    eventually("the token is accepted", || issuer.verify(&fake.token(9)).is_ok()).await;
}

#[tokio::test]
async fn a_newer_list_takes_a_revocation_back_after_two_minutes() {
    let fake = FakeIssuer::start().await;
    fake.put_list(0, &[9]);
    let issuer = fake.discover().await;

    fake.advance(1);
    fake.put_list(0, &[]);
    fake.lists_are_read_again().await;
    assert_eq!(issuer.verify(&fake.token(9)), Err(Refusal::Revoked), "another instance may have been slower");

    fake.advance(119);
    fake.put_list(0, &[]);
    fake.lists_are_read_again().await;
    assert_eq!(issuer.verify(&fake.token(9)), Err(Refusal::Revoked));

    fake.advance(1);
    fake.put_list(0, &[]);
    eventually("the token is accepted", || issuer.verify(&fake.token(9)).is_ok()).await;
}

#[tokio::test]
async fn a_list_that_is_not_the_issuers_own_changes_nothing() {
    let fake = FakeIssuer::start().await;
    fake.put_list(1, &[]);
    fake.put_names(&[&fake.uri(0), &fake.uri(1)]);
    let issuer = fake.discover().await;
    fake.advance(5);
    let revoking = fake.list(0, &[1]);
    let bomb = encode(zlib(&vec![0xff; 2 * 1024 * 1024]));
    let signed = sign_list(&revoking);
    let bad = [
        signed[..signed.len() - 8].to_owned() + "AAAAAAAA",
        sign(&revoking),
        SIGNER.token(r#"{"alg":"ES256","typ":"statuslist+jwt","kid":"other"}"#, &revoking.to_string()),
        sign_list(&with(revoking.clone(), "sub", fake.uri(1))),
        sign_list(&with(revoking.clone(), "exp", fake.now() - 60)),
        sign_list(&with(revoking.clone(), "iat", fake.now() + 61)),
        sign_list(&with(revoking.clone(), "status_list", json!({"bits": 1, "lst": bomb}))),
        sign_list(&with(revoking, "status_list", json!({"bits": 3, "lst": ""}))),
        String::new(),
    ];

    for list in bad {
        fake.server.put("/status/0", Page::new(&list));
        fake.lists_are_read_again().await;
        assert!(issuer.verify(&fake.token(1)).is_ok(), "{list}");
        assert_eq!(issuer.staleness(), Some(Duration::from_secs(5)), "{list}");
    }
}

#[tokio::test]
async fn an_answer_without_lists_takes_nothing_back() {
    let fake = FakeIssuer::start().await;
    fake.put_list(0, &[9]);
    let issuer = fake.builder().on_stale(OnStale::Accept).discover().await.unwrap();
    let before = fake.server.asked("/status");

    fake.put_names(&[]);

    eventually("the names are read", || fake.server.asked("/status") >= before + 3).await;
    assert_eq!(issuer.verify(&fake.token(9)), Err(Refusal::Revoked));
}

#[tokio::test]
async fn a_list_that_is_named_later_is_followed() {
    let fake = FakeIssuer::start().await;
    let issuer = fake.discover().await;
    let (good, revoked) = (fake.token_at(&fake.uri(1), 1), fake.token_at(&fake.uri(1), 9));
    assert_eq!(issuer.verify(&good), Err(Refusal::StatusUnknown));

    fake.put_list(1, &[9]);
    fake.put_names(&[&fake.uri(0), &fake.uri(1)]);

    eventually("the list is known", || issuer.verify(&good).is_ok()).await;
    assert_eq!(issuer.verify(&revoked), Err(Refusal::Revoked));
}

#[tokio::test]
async fn only_lists_at_the_issuers_origin_are_asked_for_and_none_that_a_token_names() {
    let (fake, other) = (FakeIssuer::start().await, Server::start().await);
    let foreign = format!("{}/status/0", other.url);
    fake.put_names(&[&foreign, &fake.uri(0), "file:///etc/passwd", "not a url"]);
    let issuer = fake.discover().await;

    for uri in [&foreign, &fake.uri(7)] {
        assert_eq!(issuer.verify(&fake.token_at(uri, 1)), Err(Refusal::StatusUnknown));
    }
    fake.lists_are_read_again().await;

    assert!(issuer.verify(&fake.token(1)).is_ok());
    assert_eq!((other.asked_at_all(), fake.server.asked("/status/7")), (0, 0));
}

#[tokio::test]
async fn a_service_starts_while_the_lists_cannot_be_read_and_refuses_with_503() {
    let fake = FakeIssuer::start().await;
    fake.server.put("/status", Page::status(503));
    let issuer = fake.discover().await;
    let refusal = issuer.verify(&fake.token(1)).unwrap_err();
    assert_eq!((&refusal, refusal.http_status()), (&Refusal::StatusUnknown, 503));
    assert_eq!(issuer.staleness(), None);

    fake.put_names(&[&fake.uri(0)]);

    eventually("the token is accepted", || issuer.verify(&fake.token(1)).is_ok()).await;
}

#[tokio::test]
async fn a_slow_issuer_keeps_nobody_waiting() {
    let fake = FakeIssuer::start().await;
    let issuer = fake.builder().timeout(Duration::from_millis(200)).discover().await.unwrap();
    let slow = Page::new(&sign_list(&fake.list(0, &[9]))).with_delay(Duration::from_hours(1));
    fake.server.put("/status/0", slow);
    fake.lists_are_read_again().await;

    assert!(issuer.verify(&fake.token(9)).is_ok());
}

#[tokio::test]
async fn one_broken_list_does_not_keep_the_others_from_being_read() {
    let fake = FakeIssuer::start().await;
    fake.put_names(&[&fake.uri(1), &fake.uri(0)]);
    let issuer = fake.discover().await;

    fake.put_list(0, &[9]);

    is_revoked(&issuer, &fake.token(9)).await;
    assert_eq!(issuer.staleness(), None, "one list was never read");
}

#[tokio::test]
async fn a_token_without_a_index_is_accepted_unless_one_is_required() {
    let fake = FakeIssuer::start().await;
    let token = sign(&fake.claims());

    assert!(fake.discover().await.verify(&token).is_ok());
    let strict = fake.builder().require_status(true).discover().await.unwrap();
    assert_eq!(strict.verify(&token), Err(Refusal::MissingClaim { claim: "status" }));
    assert!(strict.verify(&fake.token(1)).is_ok());
}

#[tokio::test]
async fn a_bound_token_is_no_bearer_token() {
    let fake = FakeIssuer::start().await;
    let bound = sign(&with(fake.claims(), "cnf", json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"})));

    assert_eq!(fake.discover().await.verify(&bound), Err(Refusal::ProofRequired));
}

#[tokio::test]
async fn a_list_that_has_not_changed_is_not_sent_again() {
    let fake = FakeIssuer::start().await;
    let list = Page::new(&sign_list(&fake.list(0, &[9]))).with_header("etag", r#""one""#);
    fake.server.put("/status/0", list);
    let issuer = fake.discover().await;
    eventually("a list is asked for by its tag", || fake.server.unchanged("/status/0") >= 2).await;

    assert_eq!(issuer.verify(&fake.token(9)), Err(Refusal::Revoked));
}

#[tokio::test]
async fn a_list_may_come_compressed() {
    let fake = FakeIssuer::start().await;
    let list = gzip(sign_list(&fake.list(0, &[9])).as_bytes());
    fake.server.put("/status/0", Page::octets(list).with_header("content-encoding", "gzip"));

    let issuer = fake.discover().await;

    assert_eq!(issuer.verify(&fake.token(9)), Err(Refusal::Revoked));
    let request = &fake.server.requests("/status/0")[0];
    assert_eq!(header(request, "accept-encoding"), Some("gzip"));
}

#[tokio::test]
async fn what_is_compressed_too_far_or_badly_changes_nothing() {
    let fake = FakeIssuer::start().await;
    fake.put_list(1, &[]);
    fake.put_names(&[&fake.uri(0), &fake.uri(1)]);
    let issuer = fake.discover().await;
    fake.advance(5);
    let good = gzip(sign_list(&fake.list(0, &[1])).as_bytes());
    let bomb = gzip(&vec![b'.'; 4 * 1024 * 1024]);
    let half = good[..good.len() / 2].to_vec();
    let mut changed = good;
    let checksum = changed.len() - 8;
    changed[checksum] ^= 1;

    for body in [bomb, half, changed, b"no gzip".to_vec(), Vec::new()] {
        let length = body.len();
        fake.server.put("/status/0", Page::octets(body).with_header("content-encoding", "gzip"));
        fake.lists_are_read_again().await;
        assert!(issuer.verify(&fake.token(1)).is_ok(), "{length}");
        assert_eq!(issuer.staleness(), Some(Duration::from_secs(5)), "{length}");
    }
}
