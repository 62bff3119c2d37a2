//! One instance: rotation, removal, staleness.

use std::time::Duration;

use tokenhouse::audit::{Actor, AuditEvent};
use tokenhouse::error::Error;
use tokenhouse::keys::{Ripeness, RotateError};
use tokenhouse::model::{KeyState, SigningAlgorithm};
use tokenhouse::protocol::TokenType;

use crate::test_keyring::{LIFE, RIPE, TestKeyring, kid, sign, the, verifies};

const ES256: SigningAlgorithm = SigningAlgorithm::Es256;
const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_hours(24);

fn just_before(time: Duration) -> Duration {
    time.checked_sub(SECOND).unwrap()
}

#[tokio::test]
async fn an_unripe_key_does_not_sign_unless_an_administrator_insists() {
    let server = TestKeyring::new().await;
    let keyring = server.open().await;
    let (signer, next) = (the(&keyring, KeyState::Active, ES256).await, the(&keyring, KeyState::Next, ES256).await);
    server.clock.advance(just_before(RIPE));

    let error = keyring.rotate(Ripeness::Required, Actor::CommandLine).await.unwrap_err();

    let RotateError::Unripe { ripe_at, .. } = error else { panic!("{error}") };
    assert!(ripe_at > server.clock.now() && ripe_at <= server.clock.now().plus(SECOND), "{ripe_at}");
    assert_eq!(kid(&sign(&keyring, ES256)), signer);
    keyring.rotate(Ripeness::Ignored, Actor::CommandLine).await.unwrap();
    assert_eq!(kid(&sign(&keyring, ES256)), next);
}

#[tokio::test]
async fn keys_rotate_by_themselves_when_due_and_the_retired_one_leaves_on_time() {
    let server = TestKeyring::new().await;
    let keyring = server.open().await;
    let token = sign(&keyring, ES256);
    let tag = keyring.jwks().etag.clone();
    server.clock.advance(just_before(server.settings.rotate_every.get()));
    keyring.maintain().await.unwrap();
    assert_eq!((kid(&sign(&keyring, ES256)), &keyring.jwks().etag), (kid(&token), &tag));

    server.clock.advance(SECOND);
    keyring.maintain().await.unwrap();

    assert_ne!(kid(&sign(&keyring, ES256)), kid(&token));
    assert_ne!(keyring.jwks().etag, tag);
    server.clock.advance(just_before(DAY + LIFE));
    keyring.maintain().await.unwrap();
    assert!(verifies(&keyring.jwks(), &token));
    server.clock.advance(SECOND);
    keyring.maintain().await.unwrap();
    assert!(!verifies(&keyring.jwks(), &token));
    assert!(!keyring.verifying_keys().contains(&kid(&token)));
    let rows = server.database().await.signing_keys().await.unwrap();
    let row = rows.iter().find(|row| row.kid == kid(&token)).unwrap();
    assert_eq!((row.state, row.sealed.len()), (KeyState::Removed, 0));
}

#[tokio::test]
async fn maintaining_a_keyring_that_needs_nothing_writes_nothing() {
    let server = TestKeyring::new().await;
    let keyring = server.open().await;
    let (head, tag) = (server.database().await.feed_head().await.unwrap(), keyring.jwks().etag.clone());
    server.clock.advance(DAY);
    keyring.maintain().await.unwrap();
    keyring.reload().await.unwrap();
    assert_eq!((server.database().await.feed_head().await.unwrap(), keyring.jwks().etag.clone()), (head, tag));
}

#[tokio::test]
async fn a_removed_key_leaves_the_jwks_at_once_and_another_signs() {
    let server = TestKeyring::new().await;
    let keyring = server.open().await;
    let next = the(&keyring, KeyState::Next, ES256).await;
    let token = sign(&keyring, ES256);

    assert!(keyring.remove(&kid(&token), Actor::Admin("root".to_owned())).await.unwrap());

    assert!(!verifies(&keyring.jwks(), &token));
    assert_eq!(kid(&sign(&keyring, ES256)), next);
    assert!(!keyring.remove(&kid(&token), Actor::CommandLine).await.unwrap());
    assert!(!keyring.remove("no such key", Actor::CommandLine).await.unwrap());
    let replacement = the(&keyring, KeyState::Next, ES256).await;
    let audit = server.audit().await;
    for event in [
        AuditEvent::KeyRemoved { kid: kid(&token) },
        AuditEvent::KeyActivated { kid: next },
        AuditEvent::KeyPublished { kid: replacement },
    ] {
        assert!(audit.contains(&(Actor::Admin("root".to_owned()), event)), "{audit:?}");
    }
}

#[tokio::test]
async fn when_every_key_is_removed_new_ones_take_their_place() {
    let server = TestKeyring::new().await;
    let keyring = server.open().await;
    for key in keyring.list().await.unwrap() {
        assert!(keyring.remove(&key.kid, Actor::CommandLine).await.unwrap());
    }
    assert!(verifies(&keyring.jwks(), &sign(&keyring, ES256)));
    the(&keyring, KeyState::Next, ES256).await;
}

#[tokio::test]
async fn an_instance_that_has_not_read_the_database_for_24_hours_stops_signing() {
    let server = TestKeyring::new().await;
    let keyring = server.open().await;
    server.clock.advance(just_before(DAY));
    assert!(keyring.can_sign());
    sign(&keyring, ES256);
    server.clock.advance(SECOND * 2);

    let refused = keyring.sign(ES256, TokenType::Access, &1);

    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    assert!(!keyring.can_sign());
    keyring.reload().await.unwrap();
    assert!(keyring.can_sign());
    sign(&keyring, ES256);
}

#[tokio::test]
async fn an_algorithm_without_a_key_does_not_sign() {
    let keyring = TestKeyring::new().await.open().await;
    let refused = keyring.sign(SigningAlgorithm::Es384, TokenType::Access, &1);
    assert!(matches!(refused, Err(Error::Internal(_))), "{refused:?}");
}

#[tokio::test]
async fn an_algorithm_that_is_configured_later_gets_its_keys() {
    let mut server = TestKeyring::new().await;
    server.open().await;
    server.settings.additional_algorithms = vec![SigningAlgorithm::Es384];
    let keyring = server.open().await;
    assert!(verifies(&keyring.jwks(), &sign(&keyring, SigningAlgorithm::Es384)));
    keyring.maintain().await.unwrap();
    the(&keyring, KeyState::Next, SigningAlgorithm::Es384).await;
}
