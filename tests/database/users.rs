use tokenhouse::audit::AuditEvent;
use tokenhouse::error::Error;
use tokenhouse::model::{PageRequest, Profile, UserState};
use tokenhouse::protocol::ErrorCode;
use tokenhouse::store::sql::feed::Change;
use tokenhouse::store::sql::users::ProvenPassword;
use tokenhouse::store::{StoreError, UniqueKey};

use crate::test_database::{changes_after, millis, on_each_database};

#[tokio::test]
async fn a_user_comes_back_as_it_was_added() {
    on_each_database(async |server| {
        let mut user = server.new_user("Élodie", Some("Elodie@Example.com"));
        user.email_verified = true;
        user.admin = true;
        user.password_changed_at = Some(server.now());
        server.database.add_user(&user, Some("hash"), &server.any_entry()).await.unwrap();

        assert_eq!(server.database.user(user.id).await.unwrap(), Some(user.clone()));
        for identifier in ["Élodie", " éLODIE ", "elodie@example.com", "ELODIE@EXAMPLE.COM"] {
            let found = server.database.user_to_sign_in(identifier).await.unwrap();
            assert_eq!(found, Some((user.clone(), Some("hash".to_owned()))), "{identifier}");
        }
        for identifier in ["elodie", "", "nobody", "\0", "Élodie\0"] {
            assert_eq!(server.database.user_to_sign_in(identifier).await.unwrap(), None, "{identifier:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_user_without_address_and_password_can_be_added_twice_under_two_names() {
    on_each_database(async |server| {
        for name in ["one", "two"] {
            let user = server.new_user(name, None);
            server.database.add_user(&user, None, &server.any_entry()).await.unwrap();
            assert_eq!(server.database.user_to_sign_in(name).await.unwrap(), Some((user, None)));
        }
    })
    .await;
}

#[tokio::test]
async fn a_name_or_address_that_is_another_users_name_or_address_is_refused() {
    on_each_database(async |server| {
        let first = server.new_user("alice", Some("alice@example.com"));
        server.database.add_user(&first, None, &server.any_entry()).await.unwrap();

        for (name, address, key) in [
            ("ALICE", None, UniqueKey::Username),
            ("Alice@Example.com", None, UniqueKey::Username),
            ("bob", Some("Alice@example.com"), UniqueKey::Email),
            ("bob", Some("alice"), UniqueKey::Email),
        ] {
            let error =
                server.database.add_user(&server.new_user(name, address), None, &server.any_entry()).await.unwrap_err();
            assert!(matches!(error, StoreError::Conflict(taken) if taken == key), "{name} {address:?}: {error:?}");
        }
        let mut same_id = server.new_user("bob", None);
        same_id.id = first.id;
        let error = server.database.add_user(&same_id, None, &server.any_entry()).await.unwrap_err();
        assert!(matches!(error, StoreError::Conflict(UniqueKey::UserId)), "{error:?}");
        // What was refused left nothing: neither a feed row nor an audit entry.
        assert_eq!(server.database.feed_head().await.unwrap(), 1);
        assert_eq!(server.database.list_audit(&PageRequest::new(None, None)).await.unwrap().items.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_take_a_name_at_once_one_gets_it() {
    on_each_database(async |server| {
        let adding: Vec<_> = (0..8)
            .map(|n| {
                let database = server.database.clone();
                let (user, entry) = if n % 2 == 0 {
                    (server.new_user("x@example.com", None), server.any_entry())
                } else {
                    (server.new_user(&format!("user {n}"), Some("X@example.com")), server.any_entry())
                };
                tokio::spawn(async move { database.add_user(&user, None, &entry).await })
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
async fn a_change_is_decided_on_the_row_as_it_is_and_leaves_the_rest() {
    on_each_database(async |server| {
        let mut user = server.user("alice").await;
        let (head, at) = (server.database.feed_head().await.unwrap(), server.now());
        assert!(server.database.raise_user_not_before(user.id, at).await.unwrap());
        let entry = server.entry(AuditEvent::UserChanged { user: user.id, changed: Vec::new(), admin: None });
        user.not_before = at;
        let mut wanted = user.clone();
        wanted.email = Some("Alice@Example.com".to_owned());
        wanted.email_verified = true;
        wanted.admin = true;
        wanted.roles = vec!["clerk".to_owned()];
        wanted.groups = Vec::new();
        wanted.profile = Profile { name: Some("Alice \"A\" Doe\0".to_owned()), ..Profile::default() };
        // These have ways of their own.
        let decided = wanted.clone();
        wanted.state = UserState::Disabled;
        wanted.not_before = at.plus(millis(1));

        let (before, proposed) = (user.clone(), wanted.clone());
        let change = move |seen: &tokenhouse::model::User| {
            assert_eq!(*seen, before);
            Ok((proposed, entry))
        };
        assert!(server.database.edit_user(user.id, at, change).await.unwrap().unwrap().is_some());

        assert_eq!(server.database.user(user.id).await.unwrap(), Some(decided.clone()));
        assert_eq!(server.database.user_to_sign_in("alice@example.com").await.unwrap().unwrap().0, decided);
        let renamed = changes_after(head + 1, [Change::User(user.id)]);
        assert_eq!(server.database.feed_after(head + 1, 9).await.unwrap(), renamed);
    })
    .await;
}

#[tokio::test]
async fn a_change_that_is_refused_or_changes_nothing_or_has_no_user_is_not_written() {
    on_each_database(async |server| {
        let user = server.user("alice").await;
        let bob = server.new_user("bob", Some("bob@example.com"));
        server.database.add_user(&bob, None, &server.any_entry()).await.unwrap();
        let head = server.database.feed_head().await.unwrap();
        let audit = async || server.database.list_audit(&PageRequest::new(None, None)).await.unwrap().items.len();
        let (at, entries) = (server.now(), audit().await);
        let with_address = |address: &str| {
            let (address, entry) = (address.to_owned(), server.any_entry());
            move |seen: &tokenhouse::model::User| {
                Ok((tokenhouse::model::User { email: Some(address), ..seen.clone() }, entry))
            }
        };

        let equal = server
            .database
            .edit_user(user.id, at, |seen| Ok((seen.clone(), server.any_entry())))
            .await
            .unwrap()
            .unwrap();
        let refuse = |_: &tokenhouse::model::User| Err(Error::invalid_request("no"));
        let refused = server.database.edit_user(user.id, at, refuse).await.unwrap().unwrap_err();
        for taken in ["BOB@example.com", "bob"] {
            let taken = server.database.edit_user(user.id, at, with_address(taken)).await.unwrap_err();
            assert!(matches!(taken, StoreError::Conflict(UniqueKey::Email)), "{taken:?}");
        }
        let nobody = server.new_user("eve", None).id;
        let absent = server.database.edit_user(nobody, at, |_| unreachable!()).await.unwrap().unwrap();

        assert_eq!(equal, Some(user.clone()));
        assert_eq!(refused.oauth_code(), Some(ErrorCode::InvalidRequest), "{refused:?}");
        assert_eq!(absent, None);
        assert_eq!(server.database.user(user.id).await.unwrap(), Some(user.clone()));
        assert_eq!((server.database.feed_head().await.unwrap(), audit().await), (head, entries));
        let own = server.database.edit_user(user.id, at, with_address("Alice")).await.unwrap().unwrap();
        assert_eq!(own.unwrap().email.as_deref(), Some("Alice"), "one's own name is not taken by another");
    })
    .await;
}

#[tokio::test]
async fn live_sessions_of_users_whose_rights_changed_are_found() {
    on_each_database(async |server| {
        let client = server.client("app").await.id;
        let (alice, bob) = (server.user("alice").await.id, server.user("bob").await.id);
        let mut mine = Vec::new();
        for _ in 0..3 {
            mine.push((server.session(alice, &client).await.id, alice));
            server.session(bob, &client).await;
        }
        mine.sort_unstable();
        let ended = server.session(alice, &client).await.id;
        server
            .database
            .end_session(ended, server.ended(tokenhouse::model::EndReason::Admin), &server.any_entry())
            .await
            .unwrap();
        let at = server.now();
        let edit = async |user, roles: bool| {
            let change = |seen: &tokenhouse::model::User| {
                let mut after = seen.clone();
                after.admin = !seen.admin;
                if roles {
                    after.groups = vec!["shop".to_owned()];
                }
                Ok((after, server.any_entry()))
            };
            server.database.edit_user(user, at, change).await.unwrap().unwrap();
        };
        let find =
            async |since, now, after| server.database.sessions_of_changed_users(since, now, after, 2).await.unwrap();
        assert!(find(at, at, None).await.is_empty());
        edit(alice, true).await;
        edit(alice, false).await;
        edit(bob, false).await;

        assert_eq!(find(at, at, None).await, mine[..2]);
        assert_eq!(find(at, at, Some(mine[1].0)).await, mine[2..]);
        assert!(find(at.plus(millis(1)), at, None).await.is_empty());
        assert!(find(at, at.plus(millis(3_700_000)), None).await.is_empty(), "they are over then");
    })
    .await;
}

#[tokio::test]
async fn a_new_password_raises_the_not_before_and_never_lowers_it() {
    on_each_database(async |server| {
        let user = server.user("alice").await;
        let at = server.now();
        let entry = server.entry(AuditEvent::PasswordChanged { user: user.id });
        assert!(server.database.set_password(user.id, "new", at, &entry).await.unwrap());

        let (changed, hash) = server.database.user_to_sign_in("alice").await.unwrap().unwrap();
        assert_eq!((changed.not_before, changed.password_changed_at, hash.as_deref()), (at, Some(at), Some("new")));
        assert!(server.database.raise_user_not_before(user.id, at.minus(millis(5))).await.unwrap());
        assert_eq!(server.database.user(user.id).await.unwrap().unwrap().not_before, at);
        assert!(server.database.raise_user_not_before(user.id, at.plus(millis(5))).await.unwrap());
        assert_eq!(server.database.user(user.id).await.unwrap().unwrap().not_before, at.plus(millis(5)));
    })
    .await;
}

#[tokio::test]
async fn a_password_that_was_set_since_the_previous_was_proved_stays() {
    on_each_database(async |server| {
        let seen = server.user("alice").await;
        let entry = || server.entry(AuditEvent::PasswordChanged { user: seen.id });
        let change = async |previous: &str| {
            let proven = ProvenPassword { user: &seen, password_hash: previous };
            server.database.change_password(&proven, "own", server.now(), &entry()).await.unwrap()
        };
        let hash = async || server.database.user_to_sign_in("alice").await.unwrap().unwrap().1.unwrap();

        // In the same millisecond as the user's `not_before`.
        server.database.set_password(seen.id, "set by an administrator", seen.not_before, &entry()).await.unwrap();
        assert!(!change("hash").await);
        assert_eq!(hash().await, "set by an administrator");
        for state in [UserState::Disabled, UserState::Active] {
            server.database.set_user_state(seen.id, state, server.now(), &server.any_entry()).await.unwrap();
            assert!(!change("set by an administrator").await, "{state:?}");
        }

        let seen = server.database.user(seen.id).await.unwrap().unwrap();
        let entry = entry();
        let proven = ProvenPassword { user: &seen, password_hash: "set by an administrator" };
        let changed = server.database.change_password(&proven, "own", server.now(), &entry).await;
        assert!(changed.unwrap());
        assert_eq!(hash().await, "own");
    })
    .await;
}

#[tokio::test]
async fn a_hash_is_replaced_only_while_it_is_the_one_that_was_checked() {
    on_each_database(async |server| {
        let user = server.user("alice").await;
        let before = server.database.feed_head().await.unwrap();

        assert!(server.database.replace_password_hash(user.id, "hash", "better").await.unwrap());
        assert!(!server.database.replace_password_hash(user.id, "hash", "worse").await.unwrap());
        assert_eq!(server.database.user_to_sign_in("alice").await.unwrap().unwrap().1.as_deref(), Some("better"));
        assert_eq!(server.database.feed_head().await.unwrap(), before);
    })
    .await;
}

#[tokio::test]
async fn disabling_raises_the_not_before_and_enabling_leaves_it() {
    on_each_database(async |server| {
        let user = server.user("alice").await;
        let at = server.now();
        assert!(server.database.set_user_state(user.id, UserState::Disabled, at, &server.any_entry()).await.unwrap());
        let disabled = server.database.user(user.id).await.unwrap().unwrap();
        assert_eq!((disabled.state, disabled.not_before), (UserState::Disabled, at));

        let later = at.plus(millis(1000));
        assert!(server.database.set_user_state(user.id, UserState::Active, later, &server.any_entry()).await.unwrap());
        let enabled = server.database.user(user.id).await.unwrap().unwrap();
        assert_eq!((enabled.state, enabled.not_before), (UserState::Active, at));
    })
    .await;
}

#[tokio::test]
async fn a_change_to_no_user_says_so_and_leaves_nothing() {
    on_each_database(async |server| {
        let nobody = server.new_user("nobody", None).id;
        let (at, entry) = (server.now(), server.any_entry());

        assert!(!server.database.set_password(nobody, "x", at, &entry).await.unwrap());
        assert!(!server.database.set_user_state(nobody, UserState::Active, at, &entry).await.unwrap());
        assert!(!server.database.raise_user_not_before(nobody, at).await.unwrap());
        assert!(!server.database.remove_user(nobody, &entry).await.unwrap());
        assert_eq!(server.database.feed_head().await.unwrap(), 0);
        assert!(server.database.list_audit(&PageRequest::new(None, None)).await.unwrap().items.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_removed_user_is_gone_and_their_sessions_keep_the_identifier() {
    on_each_database(async |server| {
        let user = server.user("alice").await;
        let client = server.client("app").await;
        let session = server.session(user.id, &client.id).await;
        let entry = server.entry(AuditEvent::UserRemoved { user: user.id });
        assert!(server.database.remove_user(user.id, &entry).await.unwrap());

        assert_eq!(server.database.user(user.id).await.unwrap(), None);
        assert_eq!(server.database.session(session.id).await.unwrap().unwrap().user_id, user.id);
        let all = changes_after(0, [Change::User(user.id), Change::Client(client.id), Change::User(user.id)]);
        assert_eq!(server.database.feed_after(0, 100).await.unwrap(), all);
        server.user("alice").await;
    })
    .await;
}

#[tokio::test]
async fn users_are_listed_page_by_page() {
    on_each_database(async |server| {
        let mut ids = Vec::new();
        for n in 0..5 {
            ids.push(server.user(&format!("user {n}")).await.id);
        }
        ids.sort();

        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let page = server.database.list_users(&PageRequest::new(after, Some(2))).await.unwrap();
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
