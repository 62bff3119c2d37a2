//! What people have agreed to.

use std::time::Duration;

use tokenhouse::model::{ClientId, Consent, UserId};
use tokenhouse::protocol::Scope;
use tokenhouse::store::sql::admission::BeginOutcome;

use crate::house::{House, on_each_database};

fn consent(house: &House, user: UserId, client: &ClientId, scope: &str) -> Consent {
    let scope = Scope::parse(scope).unwrap();
    Consent { user_id: user, client_id: client.clone(), scope, given_at: house.now() }
}

#[tokio::test]
async fn a_consent_is_kept_replaced_listed_and_withdrawn() {
    on_each_database(async |house| {
        let user = house.user("alice").await.id;
        let (one, two) = (house.client("one").await.id, house.client("two").await.id);
        assert_eq!(house.database.consent(user, &one).await.unwrap(), None);

        for (client, scope) in [(&two, "read"), (&one, "read"), (&one, "read write")] {
            house.database.give_consent(&consent(house, user, client, scope), &house.any_entry()).await.unwrap();
        }

        assert_eq!(house.database.consent(user, &one).await.unwrap().unwrap().scope.as_str(), "read write");
        let all: Vec<_> =
            house.database.consents_of(user).await.unwrap().into_iter().map(|all| all.client_id).collect();
        assert_eq!(all, [one.clone(), two]);
        assert!(house.database.withdraw_consent(user, &one, &house.any_entry()).await.unwrap());
        assert!(!house.database.withdraw_consent(user, &one, &house.any_entry()).await.unwrap());
        assert_eq!(house.database.consent(user, &one).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_removed_user_or_client_leaves_no_consent_behind() {
    on_each_database(async |house| {
        let (alice, bob) = (house.user("alice").await.id, house.user("bob").await.id);
        let (one, two) = (house.client("one").await.id, house.client("two").await.id);
        for (user, client) in [(alice, &one), (alice, &two), (bob, &one)] {
            house.database.give_consent(&consent(house, user, client, "read"), &house.any_entry()).await.unwrap();
        }

        house.database.remove_client(&one, &house.any_entry()).await.unwrap();
        assert_eq!(house.database.consents_of(alice).await.unwrap().len(), 1);
        assert!(house.database.consents_of(bob).await.unwrap().is_empty());
        house.database.remove_user(alice, &house.any_entry()).await.unwrap();
        assert!(house.database.consents_of(alice).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn under_a_browser_session_a_strangers_session_begins_only_with_consent_to_all_that_it_holds() {
    on_each_database(async |house| {
        let user = house.user("alice").await;
        let browser_session = house.browser_session(&user).await;
        for (id, trusted, agreed, begun) in [
            ("own", true, None, BeginOutcome::Begun),
            ("none", false, None, BeginOutcome::Refused),
            ("less", false, Some("write"), BeginOutcome::Refused),
            ("enough", false, Some("write read"), BeginOutcome::Begun),
        ] {
            let mut client = house.new_client(id);
            client.trusted = trusted;
            house.database.add_client(&client, &house.any_entry()).await.unwrap();
            if let Some(scope) = agreed {
                let consent = consent(house, user.id, &client.id, scope);
                house.database.give_consent(&consent, &house.any_entry()).await.unwrap();
            }
            let mut session = house.new_session(user.id, &client.id);
            session.browser_session_id = Some(browser_session.id);
            assert_eq!(house.begin(&session).await, begun, "{id}");
        }
        // What was agreed to with a previous client of the name does not count.
        let mut later = house.new_client("enough");
        house.database.remove_client(&later.id, &house.any_entry()).await.unwrap();
        let before = consent(house, user.id, &later.id, "read");
        house.database.give_consent(&before, &house.any_entry()).await.unwrap();
        (later.trusted, later.created_at) = (false, before.given_at.plus(Duration::from_millis(1)));
        house.database.add_client(&later, &house.any_entry()).await.unwrap();
        let mut session = house.new_session(user.id, &later.id);
        session.browser_session_id = Some(browser_session.id);
        assert_eq!(house.begin(&session).await, BeginOutcome::Refused);
    })
    .await;
}
