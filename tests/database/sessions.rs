use tokenhouse::audit::AuditEvent;
use tokenhouse::model::{
    ClientState, Confirmation, EndReason, PageRequest, Session, SessionFilter, Thumbprint, UserState,
};
use tokenhouse::protocol::Scope;
use tokenhouse::store::sql::admission::BeginOutcome;
use tokenhouse::store::sql::clients::ClientTokens;
use tokenhouse::store::sql::sessions::EndOutcome;
use tokenhouse::store::{StoreError, UniqueKey};

use crate::test_database::{TestDatabase, as_seen, millis, of_user, on_each_database};

#[tokio::test]
async fn a_session_comes_back_as_it_began_and_the_user_has_signed_in() {
    on_each_database(async |server| {
        let (user, client) = (server.user("alice").await, server.client("app").await);
        let session = server.session(user.id, &client.id).await;

        assert_eq!(server.database.session(session.id).await.unwrap(), Some(session.clone()));
        assert_eq!(server.database.user(user.id).await.unwrap().unwrap().last_login_at, Some(session.created_at));
        assert_eq!(server.database.session(server.new_session(user.id, &client.id).id).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_session_comes_back_with_the_key_that_its_tokens_are_bound_to() {
    on_each_database(async |server| {
        let (user, client) = (server.user("alice").await, server.client("app").await);
        let thumbprint = Thumbprint::of([7; 32]);
        for confirmation in [Confirmation::DpopKey(thumbprint), Confirmation::Certificate(thumbprint)] {
            let session = Session { confirmation: Some(confirmation), ..server.new_session(user.id, &client.id) };
            server.begin(&session).await;

            assert_eq!(server.database.session(session.id).await.unwrap(), Some(session.clone()));
            let ended = server.ended(EndReason::Admin);
            let EndOutcome::Ended(row) =
                server.database.end_session(session.id, ended, &server.any_entry()).await.unwrap()
            else {
                panic!("it was live");
            };
            assert_eq!(row.confirmation, Some(confirmation));
        }
        // A key that cannot be read does not become none.
        server.sql("update sessions set confirmation = '{}'").await;
        let page = PageRequest::new(None, None);
        let read = server.database.list_sessions(&of_user(user.id), &page, server.now()).await;
        assert!(matches!(read, Err(StoreError::Corrupt(what)) if what.contains("confirmation")));
    })
    .await;
}

#[tokio::test]
async fn a_session_begins_only_for_a_user_and_a_client_that_may_have_one() {
    on_each_database(async |server| {
        let (user, client) = (server.user("alice").await, server.client("app").await);
        let nobody = server.new_user("bob", None).id;
        refused(server, "no such user", &server.new_session(nobody, &client.id)).await;
        refused(server, "no such client", &server.new_session(user.id, &"none".parse().unwrap())).await;

        let (at, entry) = (server.now(), || server.any_entry());
        server.database.set_user_state(user.id, UserState::Disabled, at, &entry()).await.unwrap();
        refused(server, "user disabled", &server.new_session(user.id, &client.id)).await;
        server.database.set_user_state(user.id, UserState::Active, at, &entry()).await.unwrap();
        server.database.set_client_state(&client.id, ClientState::Disabled, at, &entry()).await.unwrap();
        refused(server, "client disabled", &server.new_session(user.id, &client.id)).await;
        server.database.set_client_state(&client.id, ClientState::Active, at, &entry()).await.unwrap();

        assert_eq!(server.begin(&server.new_session(user.id, &client.id)).await, BeginOutcome::Begun);
    })
    .await;
}

#[tokio::test]
async fn a_session_begins_only_with_the_rights_that_the_user_has() {
    on_each_database(async |server| {
        let (user, client) = (server.user("alice").await, server.client("app").await);
        let begin = async |seen: &tokenhouse::model::User| {
            let session = server.new_session(user.id, &client.id);
            server.database.begin_session(&session, &as_seen(seen), &server.any_entry()).await.unwrap()
        };
        let mut others = vec![user.clone(), user.clone(), user.clone()];
        others[0].admin = true;
        others[1].roles.clear();
        others[2].groups.reverse();

        for other in &others {
            assert_eq!(begin(other).await, BeginOutcome::Refused, "{other:?}");
        }
        let mut another_name = user.clone();
        another_name.profile.name = Some("Alice".to_owned());
        another_name.email = Some("alice@example.com".to_owned());
        assert_eq!(begin(&another_name).await, BeginOutcome::Begun);
    })
    .await;
}

#[tokio::test]
async fn a_session_begins_only_with_what_the_client_may_have() {
    on_each_database(async |server| {
        let (user, client) = (server.user("alice").await, server.client("app").await);
        let begins = async |scope: &str, audience: &str| {
            let mut changed = client.clone();
            changed.metadata.scope = Scope::parse(scope).unwrap();
            changed.metadata.audience = vec![audience.to_owned()];
            let change = |_| Ok((changed.clone(), ClientTokens::Stay));
            server.database.edit_client(&client.id, &server.any_entry(), change).await.unwrap();
            // Read before that.
            server.begin(&server.new_session(user.id, &client.id)).await
        };

        assert_eq!(begins("write", "https://api.example").await, BeginOutcome::Refused);
        assert_eq!(begins("read write", "https://other.example").await, BeginOutcome::Refused);
        assert_eq!(begins("write more read", "https://api.example").await, BeginOutcome::Begun);
    })
    .await;
}

#[tokio::test]
async fn a_not_before_stops_earlier_sessions_and_none_of_the_same_millisecond() {
    on_each_database(async |server| {
        let (user, client) = (server.user("alice").await, server.client("app").await);
        let begin_at = async |at| {
            let mut session = server.new_session(user.id, &client.id);
            session.created_at = at;
            server.begin(&session).await
        };
        let mut mark = server.now();
        server.database.raise_user_not_before(user.id, mark).await.unwrap();
        assert_eq!(begin_at(mark.minus(millis(1))).await, BeginOutcome::Refused);
        assert_eq!(begin_at(mark).await, BeginOutcome::Begun);

        mark = mark.plus(millis(10));
        server.database.raise_client_not_before(&client.id, mark, mark, ClientTokens::Revoked).await.unwrap();
        assert_eq!(begin_at(mark.minus(millis(1))).await, BeginOutcome::Refused);
        assert_eq!(begin_at(mark).await, BeginOutcome::Begun);

        mark = mark.plus(millis(10));
        server.database.raise_global_not_before(mark, mark, ClientTokens::Revoked).await.unwrap();
        assert_eq!(begin_at(mark.minus(millis(1))).await, BeginOutcome::Refused);
        assert_eq!(begin_at(mark).await, BeginOutcome::Begun);
    })
    .await;
}

#[tokio::test]
async fn a_session_id_is_used_once() {
    on_each_database(async |server| {
        let (user, client) = (server.user("alice").await, server.client("app").await);
        let session = server.session(user.id, &client.id).await;
        let error = server.database.begin_session(&session, &as_seen(&user), &server.any_entry()).await.unwrap_err();

        assert!(matches!(error, StoreError::Conflict(UniqueKey::SessionId)), "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn sessions_are_listed_by_what_they_have_in_common() {
    on_each_database(async |server| {
        let (alice, bob) = (server.user("alice").await.id, server.user("bob").await.id);
        let (web, app) = (server.client("web").await.id, server.client("app").await.id);
        let mut sessions = Vec::new();
        for (user, client) in [(alice, &web), (alice, &app), (bob, &web), (bob, &app)] {
            sessions.push(server.session(user, client).await);
        }
        let entry = server.any_entry();
        server.database.end_session(sessions[0].id, server.ended(EndReason::Admin), &entry).await.unwrap();

        let all = PageRequest::new(None, None);
        let count = async |filter: SessionFilter, now| {
            server.database.list_sessions(&filter, &all, now).await.unwrap().items.len()
        };
        let (now, over) = (server.now(), sessions[3].ends_at);
        let live = SessionFilter { live_only: true, ..SessionFilter::default() };
        assert_eq!(count(SessionFilter::default(), now).await, 4);
        assert_eq!(count(live.clone(), now).await, 3);
        assert_eq!(count(live, over).await, 0, "past their absolute end");
        assert_eq!(count(of_user(alice), now).await, 2);
        assert_eq!(count(SessionFilter { live_only: true, ..of_user(alice) }, now).await, 1);
        assert_eq!(count(SessionFilter { client: Some(app), ..of_user(alice) }, now).await, 1);
        let one = SessionFilter { session: Some(sessions[2].id), ..SessionFilter::default() };
        assert_eq!(count(one.clone(), now).await, 1);
        assert_eq!(count(SessionFilter { user: Some(alice), ..one }, now).await, 0);
        let before = SessionFilter { issued_before: Some(sessions[0].created_at), ..SessionFilter::default() };
        assert_eq!(count(before, now).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_list_of_sessions_goes_on_where_its_page_ended() {
    on_each_database(async |server| {
        let (user, client) = (server.user("alice").await.id, server.client("app").await.id);
        let mut ids = Vec::new();
        for _ in 0..5 {
            ids.push(server.session(user, &client).await.id);
        }
        ids.sort();

        let page = async |after| {
            let page = PageRequest::new(after, Some(3));
            server.database.list_sessions(&of_user(user), &page, server.now()).await.unwrap()
        };
        let first = page(None).await;
        let second = page(first.next.clone()).await;
        assert!(second.next.is_none());
        let seen: Vec<_> = first.items.iter().chain(&second.items).map(|session| session.id).collect();
        assert_eq!(seen, ids);
    })
    .await;
}

#[tokio::test]
async fn last_use_is_written_forwards_only() {
    on_each_database(async |server| {
        let (user, client) = (server.user("alice").await.id, server.client("app").await.id);
        let (one, two) = (server.session(user, &client).await, server.session(user, &client).await);
        let (later, earlier) = (one.created_at.plus(millis(500)), two.created_at.minus(millis(500)));
        let unknown = server.new_session(user, &client).id;
        server.database.record_session_use(&[(two.id, earlier), (unknown, later), (one.id, later)]).await.unwrap();
        server.database.record_session_use(&[]).await.unwrap();

        assert_eq!(server.database.session(one.id).await.unwrap().unwrap().last_used_at, later);
        assert_eq!(server.database.session(two.id).await.unwrap().unwrap().last_used_at, two.last_used_at);
    })
    .await;
}

async fn refused(server: &TestDatabase, why: &str, session: &tokenhouse::model::Session) {
    let audit = server.database.list_audit(&PageRequest::new(None, None)).await.unwrap().items.len();
    let began =
        AuditEvent::SessionBegan { session: session.id, user: session.user_id, client: session.client_id.clone() };
    assert_eq!(
        server
            .database
            .begin_session(session, &server.seen(session.user_id).await, &server.entry(began))
            .await
            .unwrap(),
        BeginOutcome::Refused,
        "{why}"
    );

    assert_eq!(server.database.session(session.id).await.unwrap(), None, "{why}");
    assert_eq!(server.database.list_audit(&PageRequest::new(None, None)).await.unwrap().items.len(), audit, "{why}");
    let user = server.database.user(session.user_id).await.unwrap();
    assert_eq!(user.and_then(|user| user.last_login_at), None, "{why}");
}
