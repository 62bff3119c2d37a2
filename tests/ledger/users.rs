use tokenhouse::audit::AuditEvent;
use tokenhouse::model::{PageRequest, UserState};
use tokenhouse::store::StoreError;
use tokenhouse::store::ledger::feed::{Change, FeedPage};

use crate::house::{millis, on_each_database};

#[tokio::test]
async fn a_user_comes_back_as_it_was_added() {
    on_each_database(async |house| {
        let mut user = house.new_user("Élodie", Some("Elodie@Example.com"));
        user.email_verified = true;
        user.admin = true;
        user.password_changed_at = Some(house.now());
        house.ledger.add_user(&user, Some("hash"), &house.any_entry()).await.unwrap();

        assert_eq!(house.ledger.user(user.id).await.unwrap(), Some(user.clone()));
        for identifier in ["Élodie", " éLODIE ", "elodie@example.com", "ELODIE@EXAMPLE.COM"] {
            let found = house.ledger.user_to_sign_in(identifier).await.unwrap();
            assert_eq!(found, Some((user.clone(), Some("hash".to_owned()))), "{identifier}");
        }
        for identifier in ["elodie", "", "nobody", "\0", "Élodie\0"] {
            assert_eq!(house.ledger.user_to_sign_in(identifier).await.unwrap(), None, "{identifier:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_user_without_address_and_password_can_be_added_twice_under_two_names() {
    on_each_database(async |house| {
        for name in ["one", "two"] {
            let user = house.new_user(name, None);
            house.ledger.add_user(&user, None, &house.any_entry()).await.unwrap();
            assert_eq!(house.ledger.user_to_sign_in(name).await.unwrap(), Some((user, None)));
        }
    })
    .await;
}

#[tokio::test]
async fn a_name_or_address_that_is_somebodys_name_or_address_is_refused() {
    on_each_database(async |house| {
        let first = house.new_user("alice", Some("alice@example.com"));
        house.ledger.add_user(&first, None, &house.any_entry()).await.unwrap();

        for (name, address) in
            [("ALICE", None), ("Alice@Example.com", None), ("bob", Some("Alice@example.com")), ("bob", Some("alice"))]
        {
            let error =
                house.ledger.add_user(&house.new_user(name, address), None, &house.any_entry()).await.unwrap_err();
            assert!(matches!(error, StoreError::Conflict(_)), "{name} {address:?}: {error:?}");
        }
        let mut same_id = house.new_user("bob", None);
        same_id.id = first.id;
        let error = house.ledger.add_user(&same_id, None, &house.any_entry()).await.unwrap_err();
        assert!(matches!(error, StoreError::Conflict("the user")), "{error:?}");
        // What was refused left nothing: neither a feed row nor an audit entry.
        assert_eq!(house.ledger.feed_head().await.unwrap(), 1);
        assert_eq!(house.ledger.list_audit(&PageRequest::new(None, None)).await.unwrap().items.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_take_a_name_at_once_one_gets_it() {
    on_each_database(async |house| {
        let adding: Vec<_> = (0..8)
            .map(|n| {
                let ledger = house.ledger.clone();
                let (user, entry) = if n % 2 == 0 {
                    (house.new_user("x@example.com", None), house.any_entry())
                } else {
                    (house.new_user(&format!("user {n}"), Some("X@example.com")), house.any_entry())
                };
                tokio::spawn(async move { ledger.add_user(&user, None, &entry).await })
            })
            .collect();
        let mut added = 0;
        for adding in adding {
            match adding.await.unwrap() {
                Ok(()) => added += 1,
                Err(StoreError::Conflict(_)) => {}
                Err(error) => panic!("{error:?}"),
            }
        }

        assert_eq!(added, 1);
    })
    .await;
}

#[tokio::test]
async fn a_new_password_raises_the_watermark_and_never_lowers_it() {
    on_each_database(async |house| {
        let user = house.user("alice").await;
        let at = house.now();
        let entry = house.entry(AuditEvent::PasswordChanged { user: user.id });
        assert!(house.ledger.set_password(user.id, "new", at, &entry).await.unwrap());

        let (changed, hash) = house.ledger.user_to_sign_in("alice").await.unwrap().unwrap();
        assert_eq!((changed.not_before, changed.password_changed_at, hash.as_deref()), (at, Some(at), Some("new")));
        assert!(house.ledger.raise_user_watermark(user.id, at.minus(millis(5))).await.unwrap());
        assert_eq!(house.ledger.user(user.id).await.unwrap().unwrap().not_before, at);
        assert!(house.ledger.raise_user_watermark(user.id, at.plus(millis(5))).await.unwrap());
        assert_eq!(house.ledger.user(user.id).await.unwrap().unwrap().not_before, at.plus(millis(5)));
    })
    .await;
}

#[tokio::test]
async fn a_hash_is_replaced_only_while_it_is_the_one_that_was_checked() {
    on_each_database(async |house| {
        let user = house.user("alice").await;
        let before = house.ledger.feed_head().await.unwrap();

        assert!(house.ledger.replace_password_hash(user.id, "hash", "better").await.unwrap());
        assert!(!house.ledger.replace_password_hash(user.id, "hash", "worse").await.unwrap());
        assert_eq!(house.ledger.user_to_sign_in("alice").await.unwrap().unwrap().1.as_deref(), Some("better"));
        assert_eq!(house.ledger.feed_head().await.unwrap(), before);
    })
    .await;
}

#[tokio::test]
async fn disabling_raises_the_watermark_and_enabling_leaves_it() {
    on_each_database(async |house| {
        let user = house.user("alice").await;
        let at = house.now();
        assert!(house.ledger.set_user_state(user.id, UserState::Disabled, at, &house.any_entry()).await.unwrap());
        let disabled = house.ledger.user(user.id).await.unwrap().unwrap();
        assert_eq!((disabled.state, disabled.not_before), (UserState::Disabled, at));

        let later = at.plus(millis(1000));
        assert!(house.ledger.set_user_state(user.id, UserState::Active, later, &house.any_entry()).await.unwrap());
        let enabled = house.ledger.user(user.id).await.unwrap().unwrap();
        assert_eq!((enabled.state, enabled.not_before), (UserState::Active, at));
    })
    .await;
}

#[tokio::test]
async fn a_change_to_nobody_says_so_and_leaves_nothing() {
    on_each_database(async |house| {
        let nobody = house.new_user("nobody", None).id;
        let (at, entry) = (house.now(), house.any_entry());

        assert!(!house.ledger.set_password(nobody, "x", at, &entry).await.unwrap());
        assert!(!house.ledger.set_user_state(nobody, UserState::Active, at, &entry).await.unwrap());
        assert!(!house.ledger.raise_user_watermark(nobody, at).await.unwrap());
        assert!(!house.ledger.remove_user(nobody, &entry).await.unwrap());
        assert_eq!(house.ledger.feed_head().await.unwrap(), 0);
        assert!(house.ledger.list_audit(&PageRequest::new(None, None)).await.unwrap().items.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_removed_user_is_gone_and_their_sessions_keep_the_identifier() {
    on_each_database(async |house| {
        let user = house.user("alice").await;
        let client = house.client("app").await;
        let session = house.session(user.id, &client.id).await;
        let entry = house.entry(AuditEvent::UserRemoved { user: user.id });
        assert!(house.ledger.remove_user(user.id, &entry).await.unwrap());

        assert_eq!(house.ledger.user(user.id).await.unwrap(), None);
        assert_eq!(house.ledger.session(session.id).await.unwrap().unwrap().user_id, user.id);
        let FeedPage::Changes(changes, _) = house.ledger.feed_after(0, 100).await.unwrap() else { panic!("behind") };
        assert_eq!(changes, [Change::User(user.id), Change::Client(client.id), Change::User(user.id)]);
        house.user("alice").await;
    })
    .await;
}

#[tokio::test]
async fn users_are_listed_page_by_page() {
    on_each_database(async |house| {
        let mut ids = Vec::new();
        for n in 0..5 {
            ids.push(house.user(&format!("user {n}")).await.id);
        }
        ids.sort();

        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let page = house.ledger.list_users(&PageRequest::new(after, Some(2))).await.unwrap();
            assert!(page.items.len() <= 2);
            seen.extend(page.items.iter().map(|user| user.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, ids);
    })
    .await;
}
