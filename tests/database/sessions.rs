use tokenhouse::audit::AuditEvent;
use tokenhouse::model::{ClientState, EndReason, PageRequest, SessionFilter, UserState};
use tokenhouse::protocol::Scope;
use tokenhouse::store::StoreError;
use tokenhouse::store::sql::admission::BeginOutcome;
use tokenhouse::store::sql::clients::ClientTokens;

use crate::house::{House, as_seen, millis, of_user, on_each_database};

#[tokio::test]
async fn a_session_comes_back_as_it_began_and_the_user_has_signed_in() {
    on_each_database(async |house| {
        let (user, client) = (house.user("alice").await, house.client("app").await);
        let session = house.session(user.id, &client.id).await;

        assert_eq!(house.database.session(session.id).await.unwrap(), Some(session.clone()));
        assert_eq!(house.database.user(user.id).await.unwrap().unwrap().last_login_at, Some(session.created_at));
        assert_eq!(house.database.session(house.new_session(user.id, &client.id).id).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_session_begins_for_nobody_who_may_not_have_one() {
    on_each_database(async |house| {
        let (user, client) = (house.user("alice").await, house.client("app").await);
        let nobody = house.new_user("bob", None).id;
        refused(house, "no such user", &house.new_session(nobody, &client.id)).await;
        refused(house, "no such client", &house.new_session(user.id, &"none".parse().unwrap())).await;

        let (at, entry) = (house.now(), || house.any_entry());
        house.database.set_user_state(user.id, UserState::Disabled, at, &entry()).await.unwrap();
        refused(house, "user disabled", &house.new_session(user.id, &client.id)).await;
        house.database.set_user_state(user.id, UserState::Active, at, &entry()).await.unwrap();
        house.database.set_client_state(&client.id, ClientState::Disabled, at, &entry()).await.unwrap();
        refused(house, "client disabled", &house.new_session(user.id, &client.id)).await;
        house.database.set_client_state(&client.id, ClientState::Active, at, &entry()).await.unwrap();

        assert_eq!(house.begin(&house.new_session(user.id, &client.id)).await, BeginOutcome::Begun);
    })
    .await;
}

#[tokio::test]
async fn a_session_begins_only_with_the_rights_that_the_user_has() {
    on_each_database(async |house| {
        let (user, client) = (house.user("alice").await, house.client("app").await);
        let begin = async |seen: &tokenhouse::model::User| {
            let session = house.new_session(user.id, &client.id);
            house.database.begin_session(&session, &as_seen(seen), &house.any_entry()).await.unwrap()
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
    on_each_database(async |house| {
        let (user, client) = (house.user("alice").await, house.client("app").await);
        let begins = async |scope: &str, audience: &str| {
            let changed = tokenhouse::model::Client {
                scope: Scope::parse(scope).unwrap(),
                audience: vec![audience.to_owned()],
                ..client.clone()
            };
            let change = |_| Ok((changed.clone(), ClientTokens::Stay));
            house.database.edit_client(&client.id, &house.any_entry(), change).await.unwrap();
            // Read before that.
            house.begin(&house.new_session(user.id, &client.id)).await
        };

        assert_eq!(begins("write", "https://api.example").await, BeginOutcome::Refused);
        assert_eq!(begins("read write", "https://other.example").await, BeginOutcome::Refused);
        assert_eq!(begins("write more read", "https://api.example").await, BeginOutcome::Begun);
    })
    .await;
}

#[tokio::test]
async fn a_not_before_stops_earlier_sessions_and_none_of_the_same_millisecond() {
    on_each_database(async |house| {
        let (user, client) = (house.user("alice").await, house.client("app").await);
        let begin_at = async |at| {
            let mut session = house.new_session(user.id, &client.id);
            session.created_at = at;
            house.begin(&session).await
        };
        let mut mark = house.now();
        house.database.raise_user_not_before(user.id, mark).await.unwrap();
        assert_eq!(begin_at(mark.minus(millis(1))).await, BeginOutcome::Refused);
        assert_eq!(begin_at(mark).await, BeginOutcome::Begun);

        mark = mark.plus(millis(10));
        house.database.raise_client_not_before(&client.id, mark, mark, ClientTokens::Revoked).await.unwrap();
        assert_eq!(begin_at(mark.minus(millis(1))).await, BeginOutcome::Refused);
        assert_eq!(begin_at(mark).await, BeginOutcome::Begun);

        mark = mark.plus(millis(10));
        house.database.raise_global_not_before(mark, mark, ClientTokens::Revoked).await.unwrap();
        assert_eq!(begin_at(mark.minus(millis(1))).await, BeginOutcome::Refused);
        assert_eq!(begin_at(mark).await, BeginOutcome::Begun);
    })
    .await;
}

#[tokio::test]
async fn a_session_id_is_used_once() {
    on_each_database(async |house| {
        let (user, client) = (house.user("alice").await, house.client("app").await);
        let session = house.session(user.id, &client.id).await;
        let error = house.database.begin_session(&session, &as_seen(&user), &house.any_entry()).await.unwrap_err();

        assert!(matches!(error, StoreError::Conflict("the session")), "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn sessions_are_listed_by_what_they_have_in_common() {
    on_each_database(async |house| {
        let (alice, bob) = (house.user("alice").await.id, house.user("bob").await.id);
        let (web, app) = (house.client("web").await.id, house.client("app").await.id);
        let mut sessions = Vec::new();
        for (user, client) in [(alice, &web), (alice, &app), (bob, &web), (bob, &app)] {
            sessions.push(house.session(user, client).await);
        }
        let entry = house.any_entry();
        house.database.end_session(sessions[0].id, house.ended(EndReason::Admin), &entry).await.unwrap();

        let all = PageRequest::new(None, None);
        let count = async |filter: SessionFilter, now| {
            house.database.list_sessions(&filter, &all, now).await.unwrap().items.len()
        };
        let (now, over) = (house.now(), sessions[3].ends_at);
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
    on_each_database(async |house| {
        let (user, client) = (house.user("alice").await.id, house.client("app").await.id);
        let mut ids = Vec::new();
        for _ in 0..5 {
            ids.push(house.session(user, &client).await.id);
        }
        ids.sort();

        let page = async |after| {
            let page = PageRequest::new(after, Some(3));
            house.database.list_sessions(&of_user(user), &page, house.now()).await.unwrap()
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
    on_each_database(async |house| {
        let (user, client) = (house.user("alice").await.id, house.client("app").await.id);
        let (one, two) = (house.session(user, &client).await, house.session(user, &client).await);
        let (later, earlier) = (one.created_at.plus(millis(500)), two.created_at.minus(millis(500)));
        let unknown = house.new_session(user, &client).id;
        house.database.record_session_use(&[(two.id, earlier), (unknown, later), (one.id, later)]).await.unwrap();
        house.database.record_session_use(&[]).await.unwrap();

        assert_eq!(house.database.session(one.id).await.unwrap().unwrap().last_used_at, later);
        assert_eq!(house.database.session(two.id).await.unwrap().unwrap().last_used_at, two.last_used_at);
    })
    .await;
}

async fn refused(house: &House, why: &str, session: &tokenhouse::model::Session) {
    let audit = house.database.list_audit(&PageRequest::new(None, None)).await.unwrap().items.len();
    let began =
        AuditEvent::SessionBegan { session: session.id, user: session.user_id, client: session.client_id.clone() };
    assert_eq!(
        house.database.begin_session(session, &house.seen(session.user_id).await, &house.entry(began)).await.unwrap(),
        BeginOutcome::Refused,
        "{why}"
    );

    assert_eq!(house.database.session(session.id).await.unwrap(), None, "{why}");
    assert_eq!(house.database.list_audit(&PageRequest::new(None, None)).await.unwrap().items.len(), audit, "{why}");
    let user = house.database.user(session.user_id).await.unwrap();
    assert_eq!(user.and_then(|user| user.last_login_at), None, "{why}");
}
