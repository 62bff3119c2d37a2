use tokenhouse::audit::AuditEvent;
use tokenhouse::model::{PageRequest, Profile, UserState};
use tokenhouse::protocol::OAuthError;
use tokenhouse::store::StoreError;
use tokenhouse::store::sql::feed::Change;
use tokenhouse::store::sql::users::ProvenPassword;

use crate::house::{changes_after, millis, on_each_database};

#[tokio::test]
async fn a_user_comes_back_as_it_was_added() {
    on_each_database(async |house| {
        let mut user = house.new_user("Élodie", Some("Elodie@Example.com"));
        user.email_verified = true;
        user.admin = true;
        user.password_changed_at = Some(house.now());
        house.database.add_user(&user, Some("hash"), &house.any_entry()).await.unwrap();

        assert_eq!(house.database.user(user.id).await.unwrap(), Some(user.clone()));
        for identifier in ["Élodie", " éLODIE ", "elodie@example.com", "ELODIE@EXAMPLE.COM"] {
            let found = house.database.user_to_sign_in(identifier).await.unwrap();
            assert_eq!(found, Some((user.clone(), Some("hash".to_owned()))), "{identifier}");
        }
        for identifier in ["elodie", "", "nobody", "\0", "Élodie\0"] {
            assert_eq!(house.database.user_to_sign_in(identifier).await.unwrap(), None, "{identifier:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_user_without_address_and_password_can_be_added_twice_under_two_names() {
    on_each_database(async |house| {
        for name in ["one", "two"] {
            let user = house.new_user(name, None);
            house.database.add_user(&user, None, &house.any_entry()).await.unwrap();
            assert_eq!(house.database.user_to_sign_in(name).await.unwrap(), Some((user, None)));
        }
    })
    .await;
}

#[tokio::test]
async fn a_name_or_address_that_is_somebodys_name_or_address_is_refused() {
    on_each_database(async |house| {
        let first = house.new_user("alice", Some("alice@example.com"));
        house.database.add_user(&first, None, &house.any_entry()).await.unwrap();

        for (name, address) in
            [("ALICE", None), ("Alice@Example.com", None), ("bob", Some("Alice@example.com")), ("bob", Some("alice"))]
        {
            let error =
                house.database.add_user(&house.new_user(name, address), None, &house.any_entry()).await.unwrap_err();
            assert!(matches!(error, StoreError::Conflict(_)), "{name} {address:?}: {error:?}");
        }
        let mut same_id = house.new_user("bob", None);
        same_id.id = first.id;
        let error = house.database.add_user(&same_id, None, &house.any_entry()).await.unwrap_err();
        assert!(matches!(error, StoreError::Conflict("the user")), "{error:?}");
        // What was refused left nothing: neither a feed row nor an audit entry.
        assert_eq!(house.database.feed_head().await.unwrap(), 1);
        assert_eq!(house.database.list_audit(&PageRequest::new(None, None)).await.unwrap().items.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_take_a_name_at_once_one_gets_it() {
    on_each_database(async |house| {
        let adding: Vec<_> = (0..8)
            .map(|n| {
                let database = house.database.clone();
                let (user, entry) = if n % 2 == 0 {
                    (house.new_user("x@example.com", None), house.any_entry())
                } else {
                    (house.new_user(&format!("user {n}"), Some("X@example.com")), house.any_entry())
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
    on_each_database(async |house| {
        let mut user = house.user("alice").await;
        let (head, at) = (house.database.feed_head().await.unwrap(), house.now());
        assert!(house.database.raise_user_not_before(user.id, at).await.unwrap());
        let entry = house.entry(AuditEvent::UserChanged { user: user.id, changed: Vec::new(), admin: None });
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
        assert!(house.database.edit_user(user.id, at, change).await.unwrap().is_some());

        assert_eq!(house.database.user(user.id).await.unwrap(), Some(decided.clone()));
        assert_eq!(house.database.user_to_sign_in("alice@example.com").await.unwrap().unwrap().0, decided);
        let renamed = changes_after(head + 1, [Change::User(user.id)]);
        assert_eq!(house.database.feed_after(head + 1, 9).await.unwrap(), renamed);
    })
    .await;
}

#[tokio::test]
async fn what_is_refused_equal_or_nobodys_is_not_written() {
    on_each_database(async |house| {
        let user = house.user("alice").await;
        let bob = house.new_user("bob", Some("bob@example.com"));
        house.database.add_user(&bob, None, &house.any_entry()).await.unwrap();
        let head = house.database.feed_head().await.unwrap();
        let audit = async || house.database.list_audit(&PageRequest::new(None, None)).await.unwrap().items.len();
        let (at, entries) = (house.now(), audit().await);
        let with_address = |address: &str| {
            let (address, entry) = (address.to_owned(), house.any_entry());
            move |seen: &tokenhouse::model::User| {
                Ok((tokenhouse::model::User { email: Some(address), ..seen.clone() }, entry))
            }
        };

        let equal = house.database.edit_user(user.id, at, |seen| Ok((seen.clone(), house.any_entry()))).await.unwrap();
        let refuse = |_: &tokenhouse::model::User| Err(OAuthError::invalid_request("no"));
        let refused = house.database.edit_user(user.id, at, refuse).await.unwrap_err();
        for taken in ["BOB@example.com", "bob"] {
            let taken = house.database.edit_user(user.id, at, with_address(taken)).await.unwrap_err();
            assert!(matches!(taken, OAuthError::Conflict(_)), "{taken:?}");
        }
        let nobody = house.new_user("eve", None).id;
        let absent = house.database.edit_user(nobody, at, |_| unreachable!()).await.unwrap();

        assert_eq!(equal, Some(user.clone()));
        assert!(matches!(refused, OAuthError::InvalidRequest(_)), "{refused:?}");
        assert_eq!(absent, None);
        assert_eq!(house.database.user(user.id).await.unwrap(), Some(user.clone()));
        assert_eq!((house.database.feed_head().await.unwrap(), audit().await), (head, entries));
        let own = house.database.edit_user(user.id, at, with_address("Alice")).await.unwrap();
        assert_eq!(own.unwrap().email.as_deref(), Some("Alice"), "one's own name is not taken by another");
    })
    .await;
}

#[tokio::test]
async fn live_sessions_of_users_whose_rights_changed_are_found() {
    on_each_database(async |house| {
        let client = house.client("app").await.id;
        let (alice, bob) = (house.user("alice").await.id, house.user("bob").await.id);
        let mut mine = Vec::new();
        for _ in 0..3 {
            mine.push((house.session(alice, &client).await.id, alice));
            house.session(bob, &client).await;
        }
        mine.sort_unstable();
        let ended = house.session(alice, &client).await.id;
        house
            .database
            .end_session(ended, house.ended(tokenhouse::model::EndReason::Admin), &house.any_entry())
            .await
            .unwrap();
        let at = house.now();
        let edit = async |user, roles: bool| {
            let change = |seen: &tokenhouse::model::User| {
                let mut after = seen.clone();
                after.admin = !seen.admin;
                if roles {
                    after.groups = vec!["shop".to_owned()];
                }
                Ok((after, house.any_entry()))
            };
            house.database.edit_user(user, at, change).await.unwrap();
        };
        let find =
            async |since, now, after| house.database.sessions_of_changed_users(since, now, after, 2).await.unwrap();
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
    on_each_database(async |house| {
        let user = house.user("alice").await;
        let at = house.now();
        let entry = house.entry(AuditEvent::PasswordChanged { user: user.id });
        assert!(house.database.set_password(user.id, "new", at, &entry).await.unwrap());

        let (changed, hash) = house.database.user_to_sign_in("alice").await.unwrap().unwrap();
        assert_eq!((changed.not_before, changed.password_changed_at, hash.as_deref()), (at, Some(at), Some("new")));
        assert!(house.database.raise_user_not_before(user.id, at.minus(millis(5))).await.unwrap());
        assert_eq!(house.database.user(user.id).await.unwrap().unwrap().not_before, at);
        assert!(house.database.raise_user_not_before(user.id, at.plus(millis(5))).await.unwrap());
        assert_eq!(house.database.user(user.id).await.unwrap().unwrap().not_before, at.plus(millis(5)));
    })
    .await;
}

#[tokio::test]
async fn a_password_that_was_set_since_the_previous_was_proved_stays() {
    on_each_database(async |house| {
        let seen = house.user("alice").await;
        let entry = || house.entry(AuditEvent::PasswordChanged { user: seen.id });
        let change = async |previous: &str| {
            let proven = ProvenPassword { user: &seen, password_hash: previous };
            house.database.change_password(&proven, "own", house.now(), &entry()).await.unwrap()
        };
        let hash = async || house.database.user_to_sign_in("alice").await.unwrap().unwrap().1.unwrap();

        // In the same millisecond as the user's `not_before`.
        house.database.set_password(seen.id, "set by somebody else", seen.not_before, &entry()).await.unwrap();
        assert!(!change("hash").await);
        assert_eq!(hash().await, "set by somebody else");
        for state in [UserState::Disabled, UserState::Active] {
            house.database.set_user_state(seen.id, state, house.now(), &house.any_entry()).await.unwrap();
            assert!(!change("set by somebody else").await, "{state:?}");
        }

        let seen = house.database.user(seen.id).await.unwrap().unwrap();
        let entry = entry();
        let proven = ProvenPassword { user: &seen, password_hash: "set by somebody else" };
        let changed = house.database.change_password(&proven, "own", house.now(), &entry).await;
        assert!(changed.unwrap());
        assert_eq!(hash().await, "own");
    })
    .await;
}

#[tokio::test]
async fn a_hash_is_replaced_only_while_it_is_the_one_that_was_checked() {
    on_each_database(async |house| {
        let user = house.user("alice").await;
        let before = house.database.feed_head().await.unwrap();

        assert!(house.database.replace_password_hash(user.id, "hash", "better").await.unwrap());
        assert!(!house.database.replace_password_hash(user.id, "hash", "worse").await.unwrap());
        assert_eq!(house.database.user_to_sign_in("alice").await.unwrap().unwrap().1.as_deref(), Some("better"));
        assert_eq!(house.database.feed_head().await.unwrap(), before);
    })
    .await;
}

#[tokio::test]
async fn disabling_raises_the_not_before_and_enabling_leaves_it() {
    on_each_database(async |house| {
        let user = house.user("alice").await;
        let at = house.now();
        assert!(house.database.set_user_state(user.id, UserState::Disabled, at, &house.any_entry()).await.unwrap());
        let disabled = house.database.user(user.id).await.unwrap().unwrap();
        assert_eq!((disabled.state, disabled.not_before), (UserState::Disabled, at));

        let later = at.plus(millis(1000));
        assert!(house.database.set_user_state(user.id, UserState::Active, later, &house.any_entry()).await.unwrap());
        let enabled = house.database.user(user.id).await.unwrap().unwrap();
        assert_eq!((enabled.state, enabled.not_before), (UserState::Active, at));
    })
    .await;
}

#[tokio::test]
async fn a_change_to_nobody_says_so_and_leaves_nothing() {
    on_each_database(async |house| {
        let nobody = house.new_user("nobody", None).id;
        let (at, entry) = (house.now(), house.any_entry());

        assert!(!house.database.set_password(nobody, "x", at, &entry).await.unwrap());
        assert!(!house.database.set_user_state(nobody, UserState::Active, at, &entry).await.unwrap());
        assert!(!house.database.raise_user_not_before(nobody, at).await.unwrap());
        assert!(!house.database.remove_user(nobody, &entry).await.unwrap());
        assert_eq!(house.database.feed_head().await.unwrap(), 0);
        assert!(house.database.list_audit(&PageRequest::new(None, None)).await.unwrap().items.is_empty());
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
        assert!(house.database.remove_user(user.id, &entry).await.unwrap());

        assert_eq!(house.database.user(user.id).await.unwrap(), None);
        assert_eq!(house.database.session(session.id).await.unwrap().unwrap().user_id, user.id);
        let all = changes_after(0, [Change::User(user.id), Change::Client(client.id), Change::User(user.id)]);
        assert_eq!(house.database.feed_after(0, 100).await.unwrap(), all);
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
            let page = house.database.list_users(&PageRequest::new(after, Some(2))).await.unwrap();
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
