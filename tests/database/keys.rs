use tokenhouse::audit::AuditEvent;
use tokenhouse::model::{KeyState, PageRequest, SigningAlgorithm, SigningKeyRecord};
use tokenhouse::store::sql::feed::Change;
use tokenhouse::store::sql::keys::{KeyChange, KeyringChange};
use tokenhouse::store::{StoreError, UniqueKey};

use crate::test_database::{TestDatabase, changes_after, millis, on_each_database};

fn key(server: &TestDatabase, kid: &str, state: KeyState) -> SigningKeyRecord {
    SigningKeyRecord {
        kid: kid.to_owned(),
        algorithm: SigningAlgorithm::Es256,
        state,
        sealed: vec![0, 255, 1, 128],
        public_jwk: "{\"kty\":\"EC\"}".to_owned(),
        published_at: server.now(),
        activated_at: None,
        retired_at: None,
        removed_at: None,
    }
}

fn changes(changes: Vec<KeyChange>) -> KeyringChange {
    KeyringChange { changes, entries: Vec::new() }
}

#[tokio::test]
async fn keys_come_back_as_they_were_written_in_the_order_of_their_publication() {
    on_each_database(async |server| {
        let mut one = key(server, "z", KeyState::Next);
        let mut two = key(server, "a", KeyState::Removed);
        two.published_at = one.published_at.plus(millis(1));
        two.sealed = Vec::new();
        two.algorithm = SigningAlgorithm::Ps256;
        (two.activated_at, two.retired_at, two.removed_at) =
            (Some(server.now()), Some(server.now()), Some(server.now()));
        let insert = changes(vec![KeyChange::Insert(two.clone()), KeyChange::Insert(one.clone())]);
        let written = server.database.change_keyring(|_| insert).await.unwrap();
        assert_eq!(written, [one.clone(), two.clone()]);

        one.state = KeyState::Active;
        one.activated_at = Some(server.now());
        let entry = server.entry(AuditEvent::KeyActivated { kid: "z".to_owned() });
        let update = KeyringChange { changes: vec![KeyChange::Update(one.clone())], entries: vec![entry] };
        server
            .database
            .change_keyring(|known| {
                assert_eq!(known, written);
                update
            })
            .await
            .unwrap();
        assert_eq!(server.database.signing_keys().await.unwrap(), [one, two]);
        let feed = changes_after(0, [Change::Keys, Change::Keys]);
        assert_eq!(server.database.feed_after(0, 10).await.unwrap(), feed);
        assert_eq!(server.database.list_audit(&PageRequest::new(None, None)).await.unwrap().items.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_look_at_the_keyring_leaves_no_feed_row() {
    on_each_database(async |server| {
        assert!(server.database.change_keyring(|_| KeyringChange::default()).await.unwrap().is_empty());
        assert_eq!(server.database.feed_head().await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn an_algorithm_never_has_two_active_keys() {
    on_each_database(async |server| {
        let one = key(server, "one", KeyState::Active);
        let two = key(server, "two", KeyState::Active);
        server.database.change_keyring(|_| changes(vec![KeyChange::Insert(one.clone())])).await.unwrap();
        let error =
            server.database.change_keyring(|_| changes(vec![KeyChange::Insert(two.clone())])).await.unwrap_err();
        assert!(matches!(error, StoreError::Conflict(UniqueKey::ActiveSigningKey)), "{error:?}");
        let again =
            server.database.change_keyring(|_| changes(vec![KeyChange::Insert(one.clone())])).await.unwrap_err();
        assert!(matches!(again, StoreError::Conflict(_)), "of two keys that are taken, either is named: {again:?}");
        let same_kid = key(server, "one", KeyState::Next);
        let error = server.database.change_keyring(|_| changes(vec![KeyChange::Insert(same_kid)])).await.unwrap_err();
        assert!(matches!(error, StoreError::Conflict(UniqueKey::Kid)), "{error:?}");
        assert_eq!(server.database.feed_head().await.unwrap(), 1);

        // A change of guard may be written in either order.
        let retired = SigningKeyRecord { state: KeyState::Retired, retired_at: Some(server.now()), ..one };
        let guard = changes(vec![KeyChange::Insert(two), KeyChange::Update(retired)]);
        assert_eq!(server.database.change_keyring(|_| guard).await.unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn an_update_of_an_unknown_key_changes_nothing() {
    on_each_database(async |server| {
        let (known, unknown) = (key(server, "known", KeyState::Next), key(server, "unknown", KeyState::Next));
        let change = changes(vec![KeyChange::Insert(known), KeyChange::Update(unknown)]);
        let error = server.database.change_keyring(|_| change).await.unwrap_err();

        assert!(matches!(error, StoreError::Corrupt(_)), "{error:?}");
        assert!(server.database.signing_keys().await.unwrap().is_empty());
        assert_eq!(server.database.feed_head().await.unwrap(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_that_need_a_key_at_once_make_one() {
    on_each_database(async |server| {
        let changing: Vec<_> = (0..8)
            .map(|n| {
                let (database, key) = (server.database.clone(), key(server, &format!("key {n}"), KeyState::Active));
                tokio::spawn(async move {
                    let decide = |known: &[SigningKeyRecord]| {
                        if known.is_empty() { changes(vec![KeyChange::Insert(key)]) } else { KeyringChange::default() }
                    };
                    database.change_keyring(decide).await.unwrap()
                })
            })
            .collect();
        let mut seen = Vec::new();
        for changing in changing {
            seen.push(changing.await.unwrap());
        }

        assert!(seen.iter().all(|keys| keys.len() == 1 && keys == &seen[0]));
        assert_eq!(server.database.feed_head().await.unwrap(), 1);
    })
    .await;
}
