//! A database that is away, or that another program has changed.

use test_support::installation::a_master_key;
use tokenhouse::audit::Actor;
use tokenhouse::clock::Random;
use tokenhouse::error::Error;
use tokenhouse::keys::{Keyring, Ripeness, RotateError};
use tokenhouse::model::{KeyState, SigningAlgorithm, SigningKeyRecord};
use tokenhouse::store::sql::keys::{KeyChange, KeyringChange};

use crate::test_keyring::{LIFE, TestKeyring, kid, sign, the, verifies};

const ES256: SigningAlgorithm = SigningAlgorithm::Es256;

#[tokio::test]
async fn a_start_without_its_database_says_what_does_not_answer() {
    let server = TestKeyring::new().await;
    server.open().await;
    let database = server.database().await;
    database.close().await;

    let refused = Keyring::open(&server.settings, LIFE, database, server.clock.clone(), Random::default()).await;

    let message = refused.err().unwrap().0;
    assert!(message.starts_with("the keyring cannot be read: the database does not answer"), "{message}");
}

#[tokio::test]
async fn while_its_database_is_away_a_keyring_signs_and_changes_nothing() {
    let server = TestKeyring::new().await;
    let database = server.database().await;
    let keyring =
        Keyring::open(&server.settings, LIFE, database.clone(), server.clock.clone(), Random::default()).await.unwrap();
    let before = keyring.jwks();
    database.close().await;

    let rotated = keyring.rotate(Ripeness::Ignored, Actor::CommandLine).await.unwrap_err();

    assert!(matches!(rotated, RotateError::Failed(Error::Unavailable(_))), "{rotated}");
    let is_away = |error: Option<Error>| assert!(matches!(error, Some(Error::Unavailable(_))), "{error:?}");
    is_away(keyring.reload().await.err());
    is_away(keyring.maintain().await.err());
    is_away(keyring.list().await.err());
    is_away(keyring.remove("kid", Actor::CommandLine).await.err());
    assert_eq!(keyring.jwks().etag, before.etag);
    assert!(verifies(&before, &sign(&keyring, ES256)));
}

#[tokio::test]
async fn of_first_starts_with_different_master_keys_one_holds_and_the_others_are_told() {
    for _ in 0..10 {
        let mut server = TestKeyring::new().await;
        let mut settings = Vec::new();
        for _ in 0..3 {
            server.settings.master_key = Some(a_master_key());
            settings.push(server.settings.clone());
        }
        let mut starts = tokio::task::JoinSet::new();
        for settings in settings {
            let (database, clock) = (server.database().await, server.clock.clone());
            starts.spawn(async move { Keyring::open(&settings, LIFE, database, clock, Random::default()).await });
        }

        let (opened, refused): (Vec<_>, Vec<_>) = starts.join_all().await.into_iter().partition(Result::is_ok);

        assert_eq!((opened.len(), refused.len()), (1, 2));
        for error in refused.into_iter().filter_map(Result::err) {
            let told = [
                "give all of them the same",
                "is not the one that the database is sealed under",
                // The keys came between its two looks.
                "it was sealed under another one",
            ];
            assert!(told.iter().any(|told| error.0.contains(told)), "{error}");
            assert!(error.0.contains("TOKENHOUSE_MASTER_KEY"), "{error}");
        }
        let keyring = opened.into_iter().find_map(Result::ok).unwrap();
        keyring.reload().await.unwrap();
        assert!(verifies(&keyring.jwks(), &sign(&keyring, ES256)));
    }
}

#[tokio::test]
async fn an_instance_whose_master_key_was_changed_meanwhile_adds_no_key_that_others_could_not_open() {
    let server = TestKeyring::new().await;
    let keyring = server.open().await;
    let database = server.database().await;
    let check = database.master_key_check().await.unwrap().unwrap();
    assert!(database.set_master_key_check(Some(&check), &[7; 32]).await.unwrap());
    let before = database.signing_keys().await.unwrap();

    let rotated = keyring.rotate(Ripeness::Ignored, Actor::CommandLine).await.unwrap_err();
    let imported = keyring.import(PEM, Actor::CommandLine).await.unwrap_err();

    for error in [rotated.to_string(), imported.to_string()] {
        assert!(error.contains("sealed under another master key now: start this instance again"), "{error}");
    }
    assert_eq!(database.signing_keys().await.unwrap(), before);
    assert!(verifies(&keyring.jwks(), &sign(&keyring, ES256)), "what it has it goes on using");
}

#[tokio::test]
async fn a_key_that_was_slipped_into_the_database_is_not_published_by_a_running_instance() {
    let server = TestKeyring::new().await;
    let keyring = server.open().await;
    let next = the(&keyring, KeyState::Next, ES256).await;
    let slipped = |record: &SigningKeyRecord| SigningKeyRecord { kid: "slipped-in".to_owned(), ..record.clone() };
    change(&server, &next, |record| KeyChange::Insert(slipped(record))).await;

    keyring.reload().await.unwrap();

    assert!(!keyring.jwks().body.contains("slipped-in") && !keyring.verifying_keys().contains("slipped-in"));
    assert!(keyring.jwks().body.contains(&next));
    assert_eq!(kid(&sign(&keyring, ES256)), the(&keyring, KeyState::Active, ES256).await);
    assert!(server.refusal().await.contains("slipped-in"), "and no instance starts on it");
}

#[tokio::test]
async fn a_key_under_the_name_of_another_algorithm_refuses_the_start() {
    let server = TestKeyring::new().await;
    let keyring = server.open().await;
    let next = the(&keyring, KeyState::Next, ES256).await;
    let other = |record: &SigningKeyRecord| SigningKeyRecord { algorithm: SigningAlgorithm::EdDsa, ..record.clone() };
    change(&server, &next, |record| KeyChange::Update(other(record))).await;

    let message = server.refusal().await;

    assert!(message.contains(&next), "{message}");
}

/// Changes the row of `kid` behind the keyring's back.
async fn change(server: &TestKeyring, kid: &str, step: impl FnOnce(&SigningKeyRecord) -> KeyChange + Send) {
    let decide = move |records: &[SigningKeyRecord]| {
        let record = records.iter().find(|record| record.kid == kid).unwrap();
        KeyringChange { changes: vec![step(record)], entries: Vec::new() }
    };
    server.database().await.change_keyring(decide).await.unwrap();
}

const PEM: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgsggusZEhCXWbEHK7
RqrnxPWff5vGcwV056WI+JgrIdChRANCAASohkXBTQedZRa5/RglbSvvOmMAZeHJ
hx40bJHR6hyCuZb5KR6Wf8clM6JAPmL1vAZov5dPk6RCsIk8vIi6BZ7x
-----END PRIVATE KEY-----";
