//! How the keys are followed.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokenhouse_verifier::Refusal;
use tokenhouse_verifier::remote::OnStale;

use crate::issuer::{FakeIssuer, eventually};
use crate::server::Page;
use crate::signer::{SIGNER, encode};

/// A token that the key of this name has signed.
pub(crate) fn token(fake: &FakeIssuer, alg: &str, kid: &str) -> String {
    let header = format!(r#"{{"alg":"{alg}","typ":"at+jwt","kid":"{kid}"}}"#);
    let message = format!("{}.{}", encode(header), encode(fake.claims().to_string()));
    format!("{message}.{}", encode(SIGNER.sign(kid, message.as_bytes())))
}

fn unknown(fake: &FakeIssuer, number: usize) -> String {
    SIGNER.token(&format!(r#"{{"alg":"ES256","typ":"at+jwt","kid":"k{number}"}}"#), &fake.claims().to_string())
}

fn key(number: usize) -> &'static Value {
    &SIGNER.jwks["keys"][number]
}

const SHORT: Duration = Duration::from_millis(20);
const LONG: Duration = Duration::from_hours(1);

#[tokio::test]
async fn a_key_that_is_gone_from_the_jwks_is_refused() {
    let fake = FakeIssuer::start().await;
    fake.put_jwks(&[key(0), key(1)]);
    let issuer = fake.builder().key_cool_down(SHORT).discover().await.unwrap();
    assert!(issuer.verify(&token(&fake, "ES384", "es384")).is_ok());

    fake.put_jwks(&[key(0)]);

    let is_refused = || matches!(issuer.verify(&token(&fake, "ES384", "es384")), Err(Refusal::UnknownKey { .. }));
    eventually("the key is refused", is_refused).await;
    assert!(issuer.verify(&token(&fake, "ES256", "es256")).is_ok());
    let first_two = &fake.past_caches("/jwks")[..2];
    assert_eq!(first_two, [false, false], "what is only due, a cache may answer");
}

#[tokio::test]
async fn the_first_token_of_a_new_key_is_accepted_by_those_who_wait() {
    let fake = FakeIssuer::start().await;
    fake.server
        .put("/jwks", Page::new(&serde_json::json!({"keys": [key(0)]})).with_header("cache-control", "max-age=3600"));
    let issuer = fake.builder().key_cool_down(SHORT).discover().await.unwrap();
    let token = token(&fake, "ES384", "es384");
    fake.put_jwks(&[key(0), key(1)]);
    tokio::time::sleep(2 * SHORT).await;

    assert!(issuer.verify_fresh(&token).await.is_ok());
    assert!(issuer.verify(&token).is_ok());
}

#[tokio::test]
async fn a_missing_key_is_read_in_the_background_for_those_who_do_not_wait() {
    let fake = FakeIssuer::start().await;
    fake.server
        .put("/jwks", Page::new(&serde_json::json!({"keys": [key(0)]})).with_header("cache-control", "max-age=3600"));
    let issuer = fake.builder().key_cool_down(SHORT).discover().await.unwrap();
    let token = token(&fake, "ES384", "es384");
    fake.put_jwks(&[key(0), key(1)]);

    assert_eq!(issuer.verify(&token), Err(Refusal::UnknownKey { kid: "es384".into() }));
    eventually("the key is known", || issuer.verify(&token).is_ok()).await;
    assert!(fake.past_caches("/jwks")[1], "a cache may have what is not looked for");
}

#[tokio::test]
async fn caches_are_asked_past_until_the_keys_were_read() {
    let fake = FakeIssuer::start().await;
    let issuer = fake.builder().key_cool_down(SHORT).discover().await.unwrap();
    fake.server.put("/jwks", Page::status(503));

    assert!(issuer.verify(&unknown(&fake, 1)).is_err());
    eventually("the keys were asked for in vain", || fake.server.asked("/jwks") >= 4).await;
    fake.put_jwks(&[key(0)]);
    eventually("they are read as usual again", || fake.past_caches("/jwks").last() == Some(&false)).await;

    assert!(fake.past_caches("/jwks")[1..4].iter().all(|is_past| *is_past));
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "counts cool-downs as they pass")]
async fn a_thousand_unknown_keys_cause_one_request_a_cool_down() {
    let fake = FakeIssuer::start().await;
    fake.server.put("/jwks", Page::new(&SIGNER.jwks).with_header("cache-control", "max-age=3600"));
    let cool_down = Duration::from_millis(100);
    let begin = Instant::now();
    let issuer = fake.builder().key_cool_down(cool_down).discover().await.unwrap();
    tokio::time::sleep(cool_down).await;

    let waiting: Vec<_> = (0..1000)
        .map(|number| {
            let (issuer, token) = (issuer.clone(), unknown(&fake, number));
            tokio::spawn(async move {
                assert!(matches!(issuer.verify(&token), Err(Refusal::UnknownKey { .. })));
                assert!(matches!(issuer.verify_fresh(&token).await, Err(Refusal::UnknownKey { .. })));
            })
        })
        .collect();
    for one in waiting {
        one.await.unwrap();
    }

    let cool_downs = begin.elapsed().as_millis() / cool_down.as_millis();
    let asked = fake.server.asked("/jwks");
    assert!(asked >= 2 && asked as u128 <= 1 + cool_downs, "{asked} requests in {cool_downs} cool-downs");
}

#[tokio::test]
async fn within_the_cool_down_nobody_asks_and_nobody_waits() {
    let fake = FakeIssuer::start().await;
    let issuer = fake.builder().key_cool_down(LONG).discover().await.unwrap();

    for number in 0..1000 {
        assert!(matches!(issuer.verify_fresh(&unknown(&fake, number)).await, Err(Refusal::UnknownKey { .. })));
    }

    assert_eq!(fake.server.asked("/jwks"), 1);
}

#[tokio::test]
async fn those_who_wait_for_a_slow_jwks_all_wait_for_the_same_one() {
    let fake = FakeIssuer::start().await;
    fake.server
        .put("/jwks", Page::new(&serde_json::json!({"keys": [key(0)]})).with_header("cache-control", "max-age=3600"));
    let issuer = fake.builder().key_cool_down(SHORT).discover().await.unwrap();
    let slow =
        Page::new(&SIGNER.jwks).with_header("cache-control", "max-age=3600").with_delay(Duration::from_millis(200));
    fake.server.put("/jwks", slow);
    tokio::time::sleep(2 * SHORT).await;

    let token = token(&fake, "ES384", "es384");
    let all = (0..100).map(|_| (issuer.clone(), token.clone()));
    let all: Vec<_> =
        all.map(|(issuer, token)| tokio::spawn(async move { issuer.verify_fresh(&token).await })).collect();
    for one in all {
        assert!(one.await.unwrap().is_ok());
    }

    assert_eq!(fake.server.asked("/jwks"), 2);
}

#[tokio::test]
async fn keys_go_on_while_they_cannot_be_read_until_they_are_too_old() {
    let fake = FakeIssuer::start().await;
    fake.put_jwks(&[key(0)]);
    let issuer = fake.builder().key_cool_down(SHORT).on_stale(OnStale::Accept).discover().await.unwrap();
    let token = fake.token(1);
    for page in [Page::status(503), Page::new(&r#"{"keys":[]}"#), Page::new("<html>")] {
        fake.server.put("/jwks", page);
        let before = fake.server.asked("/jwks");
        eventually("the keys are asked for", || fake.server.asked("/jwks") >= before + 2).await;
        assert!(issuer.verify(&token).is_ok());
    }

    fake.advance(86_400);
    assert!(issuer.verify(&token).is_ok());
    fake.advance(1);
    let refusal = issuer.verify(&token).unwrap_err();
    assert_eq!((&refusal, refusal.http_status()), (&Refusal::KeysStale { seconds: 86_401 }, 503));

    fake.put_jwks(&[key(0)]);
    eventually("the keys are read again", || issuer.verify(&token).is_ok()).await;
}

#[tokio::test]
async fn nobody_reads_any_more_once_the_last_handle_is_dropped() {
    let fake = FakeIssuer::start().await;
    fake.put_jwks(&[key(0)]);
    let issuer = fake.builder().key_cool_down(SHORT).discover().await.unwrap();
    let other = issuer.clone();
    drop(issuer);
    fake.lists_are_read_again().await;

    drop(other);
    tokio::time::sleep(5 * SHORT).await;
    let asked = fake.server.asked_at_all();
    tokio::time::sleep(10 * SHORT).await;

    assert_eq!(fake.server.asked_at_all(), asked);
}
