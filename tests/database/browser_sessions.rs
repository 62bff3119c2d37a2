//! BrowserSessions: how their rows begin, are renewed, end and go.

use std::time::Duration;

use tokenhouse::clock::Timestamp;
use tokenhouse::model::{Acr, BrowserSession, EndReason, User};
use tokenhouse::store::sql::admission::BeginOutcome;
use tokenhouse::store::sql::browser_sessions::{CookieDigest, Exchange};
use tokenhouse::store::{StoreError, UniqueKey};

use crate::test_database::{TestDatabase, on_each_database};

async fn begin(server: &TestDatabase, browser_session: &BrowserSession, cookie: u8, seen: &User) -> BeginOutcome {
    server
        .database
        .begin_browser_session(browser_session, &CookieDigest::of([cookie; 32]), seen, &server.any_entry())
        .await
        .unwrap()
}

async fn by_cookie(server: &TestDatabase, cookie: u8) -> Option<BrowserSession> {
    server.database.browser_session_by_cookie(&CookieDigest::of([cookie; 32])).await.unwrap()
}

#[tokio::test]
async fn a_browser_session_is_found_by_its_cookie_and_comes_back_as_it_was_written() {
    on_each_database(async |server| {
        let user = server.user("alice").await;
        let browser_session = server.new_browser_session(user.id);

        assert_eq!(begin(server, &browser_session, 1, &user).await, BeginOutcome::Begun);

        assert_eq!(by_cookie(server, 1).await, Some(browser_session.clone()));
        assert_eq!(server.database.browser_session(browser_session.id).await.unwrap(), Some(browser_session));
        assert_eq!(by_cookie(server, 2).await, None);
    })
    .await;
}

#[tokio::test]
async fn an_identifier_and_a_cookie_belong_to_one_browser_session() {
    on_each_database(async |server| {
        let user = server.user("alice").await;
        let (one, two) = (server.new_browser_session(user.id), server.new_browser_session(user.id));
        begin(server, &one, 1, &user).await;

        for (browser_session, cookie, key) in
            [(&one, 2, UniqueKey::BrowserSessionId), (&two, 1, UniqueKey::BrowserSessionCookie)]
        {
            let cookie = CookieDigest::of([cookie; 32]);
            let begun =
                server.database.begin_browser_session(browser_session, &cookie, &user, &server.any_entry()).await;
            assert!(matches!(begun, Err(StoreError::Conflict(taken)) if taken == key), "{key:?}: {begun:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_user_who_has_changed_since_the_sign_in_began_gets_no_browser_session() {
    on_each_database(async |server| {
        let seen = server.user("alice").await;
        let browser_session = server.new_browser_session(seen.id);
        server.database.raise_user_not_before(seen.id, server.now().plus(Duration::from_secs(1))).await.unwrap();

        assert_eq!(begin(server, &browser_session, 1, &seen).await, BeginOutcome::Refused);
        assert_eq!(by_cookie(server, 1).await, None);
    })
    .await;
}

#[tokio::test]
async fn a_renewed_browser_session_has_another_cookie_and_only_the_present_one_can_be_exchanged() {
    on_each_database(async |server| {
        let user = server.user("alice").await;
        let browser_session = server.new_browser_session(user.id);
        begin(server, &browser_session, 1, &user).await;
        let later = browser_session.auth_time.plus(Duration::from_secs(9));
        let renewed =
            BrowserSession { auth_time: later, last_used_at: later, acr: Acr::Password, ..browser_session.clone() };
        let renew = async |previous: u8, new: u8| {
            let (previous, new) = (CookieDigest::of([previous; 32]), CookieDigest::of([new; 32]));
            let cookies = Exchange { previous: &previous, new: &new };
            server.database.renew_browser_session(&renewed, cookies, &user, &server.any_entry()).await.unwrap()
        };

        assert_eq!(renew(1, 2).await, BeginOutcome::Begun);
        assert_eq!(renew(1, 3).await, BeginOutcome::Refused);

        assert_eq!((by_cookie(server, 1).await, by_cookie(server, 3).await), (None, None));
        assert_eq!(by_cookie(server, 2).await, Some(renewed.clone()));
        server
            .database
            .end_browser_session(browser_session.id, server.ended(EndReason::SignedOut), &server.any_entry())
            .await
            .unwrap();
        assert_eq!(renew(2, 4).await, BeginOutcome::Refused, "it is over");
    })
    .await;
}

#[tokio::test]
async fn an_ended_browser_session_stays_ended_and_no_session_begins_under_it() {
    on_each_database(async |server| {
        let (user, client) = (server.user("alice").await, server.client("app").await);
        let browser_session = server.browser_session(&user).await;
        let ended = server.ended(EndReason::SignedOut);

        assert!(
            server
                .database
                .end_browser_session(browser_session.id, ended, &server.any_entry())
                .await
                .unwrap()
                .is_some()
        );
        let again = server.ended(EndReason::Admin);
        assert!(
            server
                .database
                .end_browser_session(browser_session.id, again, &server.any_entry())
                .await
                .unwrap()
                .is_none()
        );

        assert_eq!(server.database.browser_session(browser_session.id).await.unwrap().unwrap().ended, Some(ended));
        let mut session = server.new_session(user.id, &client.id);
        session.browser_session_id = Some(browser_session.id);
        assert_eq!(server.begin(&session).await, BeginOutcome::Refused);
    })
    .await;
}

#[tokio::test]
async fn live_browser_sessions_are_those_that_are_neither_over_nor_older_than_the_users_not_before() {
    on_each_database(async |server| {
        let user = server.user("alice").await;
        let (live, ended) = (server.browser_session(&user).await, server.browser_session(&user).await);
        server
            .database
            .end_browser_session(ended.id, server.ended(EndReason::Admin), &server.any_entry())
            .await
            .unwrap();
        let listed = async |now: Timestamp| {
            let browser_sessions = server.database.live_browser_sessions(user.id, now).await.unwrap();
            browser_sessions.into_iter().map(|browser_session| browser_session.id).collect::<Vec<_>>()
        };

        assert_eq!(listed(server.now()).await, [live.id]);
        assert!(listed(live.ends_at).await.is_empty(), "at its absolute end");
        server.database.raise_user_not_before(user.id, live.created_at.plus(Duration::from_millis(1))).await.unwrap();
        assert!(listed(server.now()).await.is_empty(), "older than the `not_before`");
    })
    .await;
}

#[tokio::test]
async fn a_use_is_written_and_never_moves_back_and_old_browser_sessions_go() {
    on_each_database(async |server| {
        let user = server.user("alice").await;
        let browser_session = server.browser_session(&user).await;
        let later = browser_session.last_used_at.plus(Duration::from_mins(1));
        server.database.record_browser_session_use(&[(browser_session.id, later)]).await.unwrap();
        server
            .database
            .record_browser_session_use(&[(browser_session.id, browser_session.last_used_at)])
            .await
            .unwrap();
        assert_eq!(server.database.browser_session(browser_session.id).await.unwrap().unwrap().last_used_at, later);

        assert_eq!(
            server.database.prune_browser_sessions(browser_session.ends_at).await.unwrap(),
            0,
            "it ends at this very moment"
        );
        assert_eq!(
            server
                .database
                .prune_browser_sessions(browser_session.ends_at.plus(Duration::from_millis(1)))
                .await
                .unwrap(),
            1
        );
        assert_eq!(server.database.browser_session(browser_session.id).await.unwrap(), None);
    })
    .await;
}
