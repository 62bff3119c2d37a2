//! Where the master key comes from, and what happens when it is not there, broken, or another one.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};
use test_support::installation::a_master_key;
use tokenhouse::clock::Random;
use tokenhouse::keys::{Ripeness, make_master_key};
use tokenhouse::model::{KeyState, SigningAlgorithm};

use crate::test_keyring::{TestKeyring, kid, sign, the, verifies};

#[tokio::test]
async fn the_first_start_makes_a_private_master_key_and_the_keys_and_the_second_finds_them() {
    let server = TestKeyring::new().await;
    let first = server.open().await;
    let key = fs::read_to_string(server.path("master.key")).unwrap();
    assert_eq!(fs::metadata(server.path("master.key")).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(first.algorithms(), [SigningAlgorithm::Es256, SigningAlgorithm::EdDsa]);
    assert!(first.can_sign());

    let second = server.open().await;

    assert_eq!(fs::read_to_string(server.path("master.key")).unwrap(), key);
    assert_eq!((&second.jwks().body, &second.jwks().etag), (&first.jwks().body, &first.jwks().etag));
    assert!(verifies(&first.jwks(), &sign(&second, SigningAlgorithm::Es256)));
}

#[tokio::test]
async fn the_default_algorithms_have_a_key_to_sign_and_a_next_one_after_the_first_start() {
    let mut server = TestKeyring::new().await;
    let defaults = tokenhouse::config::Keys::default();
    server.settings.id_token_algorithm = defaults.id_token_algorithm;
    server.settings.access_token_algorithm = defaults.access_token_algorithm;

    let keyring = server.open().await;

    for algorithm in [SigningAlgorithm::Rs256, SigningAlgorithm::Es256] {
        let signer = the(&keyring, KeyState::Active, algorithm).await;
        let token = sign(&keyring, algorithm);
        assert_eq!(kid(&token), signer);
        assert!(verifies(&keyring.jwks(), &token));
        assert!(keyring.verifying_keys().contains(&the(&keyring, KeyState::Next, algorithm).await));
    }
}

#[tokio::test]
async fn several_instances_that_start_at_once_on_an_empty_sqlite_database_share_one_set_of_keys() {
    let server = TestKeyring::new().await;
    let (one, two, three) = tokio::join!(server.open(), server.open(), server.open());
    for keyring in [&one, &two, &three] {
        keyring.reload().await.unwrap();
        assert_eq!(keyring.list().await.unwrap().len(), 4);
        assert_eq!(keyring.jwks().etag, one.jwks().etag);
        let token = keyring.sign_refresh(&json!({"gen": 1})).unwrap();
        assert_eq!(one.open_refresh::<Value>(&token), Some(json!({"gen": 1})));
    }
}

#[tokio::test]
async fn with_postgresql_a_missing_master_key_refuses_the_start_and_names_the_command_that_makes_one() {
    let Some(mut server) = TestKeyring::on_postgres().await else { return };
    server.settings.master_key = None;
    let message = server.refusal().await;
    let path = server.path("master.key");
    for part in [path.to_str().unwrap(), "TOKENHOUSE_MASTER_KEY", "`tokenhouse keys master`"] {
        assert!(message.contains(part), "{message}");
    }
    assert!(!path.exists());
    server.leave().await;
}

#[tokio::test]
async fn a_master_key_that_was_lost_is_not_replaced_by_another() {
    let server = TestKeyring::new().await;
    server.open().await;
    fs::remove_file(server.path("master.key")).unwrap();

    let message = server.refusal().await;

    assert!(message.contains("master.key does not exist") && message.contains("restore it from a backup"), "{message}");
    assert!(!server.path("master.key").exists());
}

#[tokio::test]
async fn another_master_key_is_refused_by_name() {
    let mut server = TestKeyring::new().await;
    server.open().await;
    let file = server.path("master.key");
    let right = fs::read_to_string(&file).unwrap();
    let wrong = make_master_key(&Random::default());

    server.put("master.key", &wrong, 0o600);
    let message = server.refusal().await;
    assert!(message.contains(&format!("the master key in {} is not the one", file.display())), "{message}");
    assert!(!message.contains(&wrong), "{message}");

    server.settings.master_key = Some(a_master_key());
    server.settings.master_key_previous = Some(a_master_key());
    let message = server.refusal().await;
    assert!(message.contains("in TOKENHOUSE_MASTER_KEY or TOKENHOUSE_MASTER_KEY_PREVIOUS is not the one"), "{message}");

    server.settings.master_key = None;
    server.put("master.key", right, 0o600);
    server.open().await;
}

#[tokio::test]
async fn the_previous_master_key_opens_what_it_sealed_and_it_is_sealed_again() {
    let mut server = TestKeyring::new().await;
    let (old, new) = (a_master_key(), a_master_key());
    server.settings.master_key = Some(old.clone());
    let before = server.open().await;
    let old_token = before.sign_refresh(&json!({"gen": 1})).unwrap();

    server.settings.master_key = Some(new.clone());
    server.settings.master_key_previous = Some(old.clone());
    let during = server.open().await;
    assert_eq!(during.jwks().body, before.jwks().body);
    assert!(verifies(&before.jwks(), &sign(&during, SigningAlgorithm::Es256)));
    assert_eq!(during.open_refresh::<Value>(&old_token), Some(json!({"gen": 1})));
    assert_ne!(during.sign_refresh(&json!({"gen": 1})).unwrap(), old_token);

    server.settings.master_key_previous = None;
    let after = server.open().await;
    assert_eq!(after.jwks().body, before.jwks().body);
    assert_eq!(after.open_refresh::<Value>(&old_token), None);

    server.settings.master_key = Some(old);
    assert!(server.refusal().await.contains("is not the one"));
}

#[tokio::test]
async fn a_change_of_the_master_key_that_was_broken_off_goes_on_at_the_next_start() {
    let mut server = TestKeyring::new().await;
    let (old, new) = (a_master_key(), a_master_key());
    server.settings.master_key = Some(old.clone());
    server.open().await;
    let database = server.database().await;
    let old_check = database.master_key_check().await.unwrap().unwrap();
    server.settings.master_key = Some(new);
    server.settings.master_key_previous = Some(old.clone());
    let jwks = server.open().await.jwks();
    let new_check = database.master_key_check().await.unwrap().unwrap();
    assert_ne!(old_check, new_check);

    // The keys are sealed anew and the check value is still the old one.
    assert!(database.set_master_key_check(Some(&new_check), &old_check).await.unwrap());
    assert_eq!(server.open().await.jwks().body, jwks.body);
    assert_eq!(database.master_key_check().await.unwrap().unwrap(), new_check);

    // Whoever goes back to the old key alone then is told what is missing.
    assert!(database.set_master_key_check(Some(&new_check), &old_check).await.unwrap());
    server.settings.master_key = Some(old);
    server.settings.master_key_previous = None;
    let message = server.refusal().await;
    assert!(message.contains("does not open the signing key") && message.contains("_PREVIOUS"), "{message}");
}

#[tokio::test]
async fn instances_understand_each_other_while_the_master_key_is_changed_in_two_steps() {
    let mut server = TestKeyring::new().await;
    let (old, new) = (a_master_key(), a_master_key());
    server.settings.master_key = Some(old.clone());
    server.settings.master_key_previous = Some(new.clone());
    let first = server.open().await;
    server.settings.master_key = Some(new);
    server.settings.master_key_previous = Some(old);
    let second = server.open().await;

    // A key that the first one makes now is sealed so that the second, and any later one, opens it.
    first.rotate(Ripeness::Ignored, tokenhouse::audit::Actor::CommandLine).await.unwrap();
    second.reload().await.unwrap();
    assert_eq!(first.jwks().etag, second.jwks().etag);
    server.settings.master_key_previous = None;
    let third = server.open().await;
    assert_eq!(third.jwks().etag, first.jwks().etag);
    for (from, to) in [(&first, &second), (&second, &first)] {
        let token = from.sign_refresh(&json!({"gen": 1})).unwrap();
        assert_eq!(to.open_refresh::<Value>(&token), Some(json!({"gen": 1})));
    }
}

#[tokio::test]
async fn a_damaged_key_in_the_database_refuses_the_start_with_its_kid() {
    let server = TestKeyring::new().await;
    let keyring = server.open().await;
    let kid = the(&keyring, KeyState::Next, SigningAlgorithm::Es256).await;
    let damage = |records: &[tokenhouse::model::SigningKeyRecord]| {
        let mut record = records.iter().find(|record| record.kid == kid).unwrap().clone();
        record.sealed[20] ^= 1;
        let change = tokenhouse::store::sql::keys::KeyChange::Update(record);
        tokenhouse::store::sql::keys::KeyringChange { changes: vec![change], entries: Vec::new() }
    };
    server.database().await.change_keyring(damage).await.unwrap();

    let message = server.refusal().await;

    assert!(message.contains(&kid), "{message}");
}

#[tokio::test]
async fn derived_values_and_refresh_tokens_are_the_same_after_a_restart() {
    let server = TestKeyring::new().await;
    let claims = json!({"sub": "u", "gen": 3});
    let (one, two) = (server.open().await, server.open().await);
    assert_eq!(one.derive("jti", b"text"), two.derive("jti", b"text"));
    assert_eq!(one.sign_refresh(&claims).unwrap(), two.sign_refresh(&claims).unwrap());
}

#[tokio::test]
async fn a_keyring_prints_nothing_secret() {
    let mut server = TestKeyring::new().await;
    let key = a_master_key();
    server.settings.master_key = Some(key.clone());
    let keyring = server.open().await;
    assert_eq!(format!("{keyring:?}"), "Keyring { algorithms: [Es256, EdDsa], .. }");
    assert!(!format!("{:?}", server.settings).contains(key.expose()));
}
