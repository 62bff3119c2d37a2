//! How the events are followed.

use std::time::Duration;

use serde_json::json;
use tokenhouse_verifier::remote::OnStale;
use tokenhouse_verifier::{Issuer, Refusal};

use crate::issuer::{eventually, sign_event};
use crate::server::Page;
use crate::signer::{SIGNER, header, with};
use crate::stream::{KEYS_CHANGED, RESYNC, REVOKED, Teller, VERIFICATION};

pub(crate) async fn is_revoked(issuer: &Issuer, token: &str) {
    eventually("the token is refused", || issuer.verify(token) == Err(Refusal::Revoked)).await;
}

async fn is_as_old_as(issuer: &Issuer, seconds: u64) {
    let age = Some(Duration::from_secs(seconds));
    eventually("what is known is that old", || issuer.staleness() == age).await;
}

#[tokio::test]
async fn a_session_that_is_told_of_is_refused_without_a_list() {
    let teller = Teller::start().await;
    let issuer = teller.attentive_listener().await;
    let read = teller.lists_read();
    assert!(issuer.verify(&teller.fake.token(9)).is_ok());

    teller.revoke(2, 9);

    is_revoked(&issuer, &teller.fake.token(9)).await;
    assert!(issuer.verify(&teller.fake.token(8)).is_ok());
    assert_eq!(teller.lists_read(), read);
}

#[tokio::test]
async fn while_events_come_a_list_is_as_fresh_as_the_last_heartbeat() {
    let teller = Teller::start().await;
    let issuer = teller.attentive_listener().await;
    let token = teller.fake.token(1);

    for number in 2..5 {
        teller.fake.advance(50);
        teller.heartbeat(number);
        is_as_old_as(&issuer, 0).await;
        assert!(issuer.verify(&token).is_ok());
    }

    teller.fake.advance(61);
    assert_eq!(issuer.verify(&token), Err(Refusal::StatusStale { seconds: 61 }));
}

#[tokio::test]
async fn a_list_from_before_the_events_is_only_as_fresh_as_itself() {
    let teller = Teller::start().await;
    let issuer = teller.listener().await;
    teller.heartbeat(1);
    teller.fake.advance(1);
    teller.fake.put_list(0, &[]);
    is_as_old_as(&issuer, 0).await;

    teller.fake.advance(30);
    teller.heartbeat(2);
    teller.revoke(3, 9);
    is_revoked(&issuer, &teller.fake.token(9)).await;

    assert_eq!(issuer.staleness(), Some(Duration::from_secs(30)));
    teller.lists_are_read_again().await;
}

#[tokio::test]
async fn an_older_list_does_not_take_back_what_an_event_told() {
    let teller = Teller::start().await;
    let issuer = teller.listener().await;
    teller.revoke(1, 9);
    is_revoked(&issuer, &teller.fake.token(9)).await;

    teller.fake.advance(1);
    teller.fake.put_list(0, &[]);
    teller.lists_are_read_again().await;
    assert_eq!(issuer.verify(&teller.fake.token(9)), Err(Refusal::Revoked), "it may be of a slower instance");

    teller.fake.advance(120);
    teller.fake.put_list(0, &[]);
    eventually("the list counts", || issuer.verify(&teller.fake.token(9)).is_ok()).await;
}

#[tokio::test]
async fn what_is_told_of_a_list_that_was_never_read_is_known() {
    let teller = Teller::start().await;
    teller.fake.server.put("/status/0", Page::status(503));
    let issuer = teller.builder().on_stale(OnStale::Accept).discover().await.unwrap();
    teller.is_heard(1).await;
    let (good, revoked) = (teller.fake.token(8), teller.fake.token(9));
    assert!(issuer.verify(&revoked).is_ok());

    teller.revoke(1, 9);
    is_revoked(&issuer, &revoked).await;
    assert!(issuer.verify(&good).is_ok());
    assert_eq!(issuer.staleness(), None);

    teller.fake.put_list(0, &[]);
    is_as_old_as(&issuer, 0).await;
    assert_eq!(issuer.verify(&revoked), Err(Refusal::Revoked));
}

#[tokio::test]
async fn a_list_that_a_token_names_first_is_read_at_once() {
    let teller = Teller::start().await;
    let issuer = teller.attentive_listener().await;
    teller.fake.put_list(1, &[9]);
    teller.fake.put_names(&[&teller.fake.uri(0), &teller.fake.uri(1)]);
    let token = teller.fake.token_at(&teller.fake.uri(1), 1);

    assert_eq!(issuer.verify(&token), Err(Refusal::StatusUnknown));
    eventually("the list is known", || issuer.verify(&token).is_ok()).await;
}

#[tokio::test]
async fn a_silent_stream_is_given_up_and_the_lists_are_read_at_once() {
    let teller = Teller::start().await;
    let silence = Duration::from_secs(1);
    let issuer = teller.builder().event_silence(silence).discover().await.unwrap();
    teller.is_heard(1).await;
    teller.heartbeat(7);
    teller.fake.advance(2);
    teller.fake.put_list(0, &[]);
    teller.lists_are_left_alone().await;

    teller.lists_are_read_again().await;
    teller.fake.put_list(0, &[9]);
    is_revoked(&issuer, &teller.fake.token(9)).await;

    teller.is_heard(2).await;
    assert_eq!(teller.last_request("last-event-id").as_deref(), Some("7"));
    teller.heartbeat(8);
    teller.lists_are_left_alone().await;
}

#[tokio::test]
async fn heartbeats_that_stand_still_are_silence() {
    let teller = Teller::start().await;
    let _issuer = teller.builder().event_silence(Duration::from_millis(500)).discover().await.unwrap();
    teller.is_heard(1).await;

    let mut told = 0;
    eventually("the stream is given up", || {
        told += 1;
        if told % 10 == 1 {
            teller.heartbeat(1);
        }
        teller.fake.server.asked("/events") >= 2
    })
    .await;
}

#[tokio::test]
async fn a_stream_that_breaks_is_opened_again_after_the_last_number() {
    let teller = Teller::start().await;
    let issuer = teller.attentive_listener().await;
    teller.revoke(41, 8);
    is_revoked(&issuer, &teller.fake.token(8)).await;

    teller.hang_up();
    teller.lists_are_read_again().await;
    teller.is_heard(2).await;
    assert_eq!(teller.last_request("last-event-id").as_deref(), Some("41"));
    assert_eq!(teller.fake.server.asked("/token"), 1, "the token is still good");

    teller.revoke(42, 9);
    is_revoked(&issuer, &teller.fake.token(9)).await;
    teller.fake.advance(50);
    teller.heartbeat(42);
    is_as_old_as(&issuer, 0).await;
}

#[tokio::test]
async fn an_event_that_the_issuer_has_not_signed_changes_nothing_and_ends_the_stream() {
    let mut trials = tokio::task::JoinSet::new();
    for trial in 0..6 {
        trials.spawn(async move {
            let teller = Teller::start().await;
            let issuer = teller.attentive_listener().await;
            let claims = teller.claims(REVOKED, &teller.index(1));
            let good = sign_event(&claims);
            let ahead = json!({"as_of": teller.fake.now() + 61});
            let forged = match trial {
                0 => good[..good.len() - 8].to_owned() + "AAAAAAAA",
                1 => SIGNER.token(&header().to_string(), &claims.to_string()),
                2 => SIGNER.token(r#"{"alg":"ES256","typ":"secevent+jwt","kid":"other"}"#, &claims.to_string()),
                3 => sign_event(&with(claims, "iss", "https://other.example")),
                4 => sign_event(&teller.claims(VERIFICATION, &ahead)),
                _ => "x".repeat(100_000),
            };

            teller.say(2, &forged);

            teller.is_heard(2).await;
            assert!(issuer.verify(&teller.fake.token(1)).is_ok(), "{trial}");
            assert_eq!(teller.last_request("last-event-id").as_deref(), Some("1"), "{trial}");
            teller.revoke(2, 1);
            is_revoked(&issuer, &teller.fake.token(1)).await;
        });
    }
    trials.join_all().await;
}

#[tokio::test]
async fn after_a_resync_lists_and_keys_are_read_again_before_events_count() {
    let teller = Teller::start().await;
    let issuer = teller.attentive_listener().await;
    let keys_read = teller.fake.server.asked("/jwks");
    teller.fake.advance(10);

    // What was numbered anew may have a smaller number.
    teller.tell(-5, RESYNC, &json!({}));
    teller.lists_are_read_again().await;
    eventually("the keys are read", || teller.fake.server.asked("/jwks") > keys_read).await;
    teller.fake.advance(20);
    teller.heartbeat(-5);
    teller.revoke(-4, 8);
    is_revoked(&issuer, &teller.fake.token(8)).await;
    assert_eq!(issuer.staleness(), Some(Duration::from_secs(30)), "the list is from before");

    teller.fake.put_list(0, &[9]);
    is_revoked(&issuer, &teller.fake.token(9)).await;
    assert_eq!(issuer.staleness(), Some(Duration::ZERO));
    teller.lists_are_left_alone().await;
}

#[tokio::test]
async fn a_session_that_ends_without_an_index_is_looked_for_in_the_lists() {
    let teller = Teller::start().await;
    let issuer = teller.attentive_listener().await;
    teller.fake.advance(10);
    teller.fake.put_list(0, &[9]);

    teller.tell(2, REVOKED, &json!({}));

    is_revoked(&issuer, &teller.fake.token(9)).await;
    teller.fake.advance(20);
    teller.heartbeat(3);
    teller.revoke(4, 8);
    is_revoked(&issuer, &teller.fake.token(8)).await;
    assert_eq!(issuer.staleness(), Some(Duration::from_secs(20)), "the list may be from before");
}

#[tokio::test]
async fn many_sessions_that_end_together_are_all_refused_without_a_list() {
    const MANY: u64 = 5000;
    let teller = Teller::start().await;
    let issuer = teller.attentive_listener().await;
    let read = teller.lists_read();
    let (first, last) = (teller.fake.token(1), teller.fake.token(MANY));

    teller.tell_at_once((1..=MANY).map(|idx| (idx.try_into().unwrap(), REVOKED, teller.index(idx))));

    is_revoked(&issuer, &first).await;
    is_revoked(&issuer, &last).await;
    for idx in 1..=MANY {
        assert_eq!(issuer.verify(&teller.fake.token(idx)), Err(Refusal::Revoked), "{idx}");
    }
    assert!(issuer.verify(&teller.fake.token(0)).is_ok());
    assert!(teller.lists_read() <= read + 1, "once, should that have taken 20 s");
}

#[tokio::test]
async fn what_comes_in_one_piece_with_a_bad_event_counts_up_to_it() {
    let teller = Teller::start().await;
    let issuer = teller.attentive_listener().await;

    let events = [(2, REVOKED, teller.index(8)), (1, REVOKED, teller.index(9))];
    teller.tell_at_once(events);

    is_revoked(&issuer, &teller.fake.token(8)).await;
    teller.is_heard(2).await;
    assert!(issuer.verify(&teller.fake.token(9)).is_ok(), "it is out of order");
}

#[tokio::test]
async fn many_resyncs_in_a_row_are_answered_at_the_usual_pace() {
    let teller = Teller::start().await;
    let issuer = teller.builder().fastest_poll(Duration::from_mins(1)).discover().await.unwrap();
    teller.is_heard(1).await;
    let (lists, keys) = (teller.lists_read(), teller.fake.server.asked("/jwks"));

    for number in (0..500).step_by(50) {
        teller.tell_at_once((number..number + 50).map(|number| (number, RESYNC, json!({}))));
    }
    teller.revoke(500, 9);
    is_revoked(&issuer, &teller.fake.token(9)).await;

    assert_eq!(teller.lists_read(), lists, "not before the minute is over");
    let keys = teller.fake.server.asked("/jwks") - keys;
    assert!(keys < 20, "two every two seconds, and not {keys}");
}

#[tokio::test]
async fn events_out_of_order_are_not_relied_on() {
    let teller = Teller::start().await;
    let issuer = teller.attentive_listener().await;
    teller.fake.advance(30);
    teller.heartbeat(50);
    is_as_old_as(&issuer, 0).await;

    teller.heartbeat(49);

    teller.lists_are_read_again().await;
    teller.is_heard(2).await;
    assert_eq!(teller.last_request("last-event-id"), None);
    teller.fake.advance(10);
    teller.heartbeat(49);
    teller.revoke(50, 9);
    is_revoked(&issuer, &teller.fake.token(9)).await;
    assert_eq!(issuer.staleness(), Some(Duration::from_secs(10)), "as the events before have left it");
}

#[tokio::test]
async fn a_key_that_was_removed_is_refused_at_once_whatever_the_cool_down() {
    let teller = Teller::start().await;
    let keys = |count: usize| json!({"keys": SIGNER.jwks["keys"].as_array().unwrap()[..count]});
    let page = |keys: &serde_json::Value| Page::new(keys).with_header("cache-control", "max-age=3600");
    teller.fake.server.put("/jwks", page(&keys(2)));
    let issuer = teller.builder().key_cool_down(Duration::from_hours(1)).discover().await.unwrap();
    teller.is_heard(1).await;
    let token = crate::keys::token(&teller.fake, "ES384", "es384");
    assert!(issuer.verify(&token).is_ok());

    // The instance that answers first has not heard of it yet.
    teller.tell(1, KEYS_CHANGED, &json!({}));
    eventually("the keys are read", || teller.fake.server.asked("/jwks") >= 2).await;
    assert!(issuer.verify(&token).is_ok());
    teller.fake.server.put("/jwks", page(&keys(1)));

    let is_refused = || matches!(issuer.verify(&token), Err(Refusal::UnknownKey { .. }));
    eventually("the key is refused", is_refused).await;
    assert_eq!(teller.fake.past_caches("/jwks"), [false, true, true]);
}
