//! What people have agreed to.

use std::time::Duration;

use tokenhouse::model::{ClientId, Consent, UserId};
use tokenhouse::protocol::Scope;
use tokenhouse::store::sql::admission::BeginOutcome;

use crate::test_database::{TestDatabase, on_each_database};

fn consent(server: &TestDatabase, user: UserId, client: &ClientId, scope: &str) -> Consent {
    let scope = Scope::parse(scope).unwrap();
    Consent { user_id: user, client_id: client.clone(), scope, given_at: server.now() }
}

#[tokio::test]
async fn a_consent_is_kept_replaced_listed_and_withdrawn() {
    on_each_database(async |server| {
        let user = server.user("alice").await.id;
        let (one, two) = (server.client("one").await.id, server.client("two").await.id);
        assert_eq!(server.database.consent(user, &one).await.unwrap(), None);

        for (client, scope) in [(&two, "read"), (&one, "read"), (&one, "read write")] {
            server.database.give_consent(&consent(server, user, client, scope), &server.any_entry()).await.unwrap();
        }

        assert_eq!(server.database.consent(user, &one).await.unwrap().unwrap().scope.as_str(), "read write");
        let all: Vec<_> =
            server.database.consents_of(user).await.unwrap().into_iter().map(|all| all.client_id).collect();
        assert_eq!(all, [one.clone(), two]);
        assert!(server.database.withdraw_consent(user, &one, &server.any_entry()).await.unwrap());
        assert!(!server.database.withdraw_consent(user, &one, &server.any_entry()).await.unwrap());
        assert_eq!(server.database.consent(user, &one).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_removed_user_or_client_leaves_no_consent_behind() {
    on_each_database(async |server| {
        let (alice, bob) = (server.user("alice").await.id, server.user("bob").await.id);
        let (one, two) = (server.client("one").await.id, server.client("two").await.id);
        for (user, client) in [(alice, &one), (alice, &two), (bob, &one)] {
            server.database.give_consent(&consent(server, user, client, "read"), &server.any_entry()).await.unwrap();
        }

        server.database.remove_client(&one, &server.any_entry()).await.unwrap();
        assert_eq!(server.database.consents_of(alice).await.unwrap().len(), 1);
        assert!(server.database.consents_of(bob).await.unwrap().is_empty());
        server.database.remove_user(alice, &server.any_entry()).await.unwrap();
        assert!(server.database.consents_of(alice).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn under_a_browser_session_a_strangers_session_begins_only_with_consent_to_all_that_it_holds() {
    on_each_database(async |server| {
        let user = server.user("alice").await;
        let browser_session = server.browser_session(&user).await;
        for (id, trusted, agreed, begun) in [
            ("own", true, None, BeginOutcome::Begun),
            ("none", false, None, BeginOutcome::Refused),
            ("less", false, Some("write"), BeginOutcome::Refused),
            ("enough", false, Some("write read"), BeginOutcome::Begun),
        ] {
            let mut client = server.new_client(id);
            client.trusted = trusted;
            server.database.add_client(&client, &server.any_entry()).await.unwrap();
            if let Some(scope) = agreed {
                let consent = consent(server, user.id, &client.id, scope);
                server.database.give_consent(&consent, &server.any_entry()).await.unwrap();
            }
            let mut session = server.new_session(user.id, &client.id);
            session.browser_session_id = Some(browser_session.id);
            assert_eq!(server.begin(&session).await, begun, "{id}");
        }
        // What was agreed to with a previous client of the name does not count.
        let mut later = server.new_client("enough");
        server.database.remove_client(&later.id, &server.any_entry()).await.unwrap();
        let before = consent(server, user.id, &later.id, "read");
        server.database.give_consent(&before, &server.any_entry()).await.unwrap();
        (later.trusted, later.created_at) = (false, before.given_at.plus(Duration::from_millis(1)));
        server.database.add_client(&later, &server.any_entry()).await.unwrap();
        let mut session = server.new_session(user.id, &later.id);
        session.browser_session_id = Some(browser_session.id);
        assert_eq!(server.begin(&session).await, BeginOutcome::Refused);
    })
    .await;
}
