use std::collections::BTreeSet;

use tokenhouse::audit::AuditEvent;
use tokenhouse::model::{ClientId, EndReason, PageRequest, Session, SessionFilter, UserId, UserState};
use tokenhouse::store::sql::admission::BeginOutcome;
use tokenhouse::store::sql::clients::ClientTokens;
use tokenhouse::store::sql::feed::Change;
use tokenhouse::store::sql::sessions::EndOutcome;

use crate::test_database::{TestDatabase, as_seen, changes_after, ended_session, millis, of_user, on_each_database};

#[tokio::test]
async fn a_session_ends_once() {
    on_each_database(async |server| {
        let (user, client) = (server.user("alice").await.id, server.client("app").await.id);
        let mut session = server.session(user, &client).await;
        let head = server.database.feed_head().await.unwrap();
        let first = server.ended(EndReason::Reuse);
        let end = async |ended| {
            let event = AuditEvent::SessionEnded {
                session: session.id,
                user,
                client: client.clone(),
                reason: EndReason::Reuse,
            };
            server.database.end_session(session.id, ended, &server.entry(event)).await.unwrap()
        };
        let outcome = end(first).await;
        let audit = server.database.list_audit(&PageRequest::new(None, None)).await.unwrap().items.len();
        let again = end(server.ended(EndReason::Admin)).await;

        session.ended = Some(first);
        assert_eq!(outcome, EndOutcome::Ended(session.clone()));
        assert_eq!(again, EndOutcome::EndedBefore(session.clone()));
        assert_eq!(server.database.session(session.id).await.unwrap(), Some(session.clone()));
        let change = Change::SessionEnded(ended_session(&session, first));
        assert_eq!(server.database.feed_after(head, 9).await.unwrap(), changes_after(head, [change]));
        assert_eq!(server.database.list_audit(&PageRequest::new(None, None)).await.unwrap().items.len(), audit);
        let unknown = server.new_session(user, &client).id;
        let absent = server.database.end_session(unknown, first, &server.any_entry()).await.unwrap();
        assert_eq!(absent, EndOutcome::Absent);
    })
    .await;
}

#[tokio::test]
async fn matching_sessions_end_in_batches_oldest_first_with_a_feed_row_each() {
    on_each_database(async |server| {
        let (alice, bob) = (server.user("alice").await.id, server.user("bob").await.id);
        let client = server.client("app").await.id;
        let sessions = five(server, alice, &client).await;
        let other = server.session(bob, &client).await;
        let head = server.database.feed_head().await.unwrap();
        let ended = server.ended(EndReason::Admin);

        let mut batches = Vec::new();
        let mut all = Vec::new();
        loop {
            let batch =
                server.database.end_sessions(&of_user(alice), ended, 2, |_| server.any_entry()).await.unwrap().sessions;
            if batch.is_empty() {
                break;
            }
            batches.push(batch.len());
            all.extend(batch);
        }

        assert_eq!(batches, [2, 2, 1]);
        let expected: Vec<_> = sessions
            .into_iter()
            .map(|mut session| {
                session.ended = Some(ended);
                session
            })
            .collect();
        assert_eq!(all, expected);
        let changes = expected.iter().map(|session| Change::SessionEnded(ended_session(session, ended)));
        assert_eq!(server.database.feed_after(head, 100).await.unwrap(), changes_after(head, changes));
        assert_eq!(server.database.feed_head().await.unwrap(), head + 5);
        assert_eq!(server.database.session(other.id).await.unwrap().unwrap().ended, None);
    })
    .await;
}

#[tokio::test]
async fn only_live_sessions_that_match_every_part_of_the_filter_end() {
    on_each_database(async |server| {
        let (alice, bob) = (server.user("alice").await.id, server.user("bob").await.id);
        let (web, app) = (server.client("web").await.id, server.client("app").await.id);
        let start = server.now();
        let begin = async |user, client: &ClientId, seconds: u64| {
            let mut session = server.new_session(user, client);
            session.created_at = start.plus(millis(seconds * 1000));
            session.ends_at = session.created_at.plus(millis(60_000));
            assert_eq!(server.begin(&session).await, BeginOutcome::Begun);
            session.id
        };
        let meant = begin(alice, &web, 1).await;
        begin(alice, &app, 1).await;
        begin(bob, &web, 1).await;
        begin(alice, &web, 2).await;
        let before = begin(alice, &web, 0).await;
        server.database.end_session(before, server.ended(EndReason::SignedOut), &server.any_entry()).await.unwrap();

        let filter = SessionFilter {
            client: Some(web.clone()),
            issued_before: Some(start.plus(millis(2000))),
            ..of_user(alice)
        };
        let ended = server.ended(EndReason::IssuedBefore);
        let sessions =
            server.database.end_sessions(&filter, ended, 100, |_| server.any_entry()).await.unwrap().sessions;
        assert_eq!(sessions.iter().map(|session| session.id).collect::<Vec<_>>(), [meant]);

        let over = tokenhouse::model::Ended { at: start.plus(millis(61_500)), reason: EndReason::Admin };
        let rest = server
            .database
            .end_sessions(&SessionFilter::default(), over, 100, |_| server.any_entry())
            .await
            .unwrap()
            .sessions;
        assert_eq!(rest.len(), 1, "two are past their absolute end");
        assert!(
            server
                .database
                .end_sessions(&SessionFilter::default(), over, 100, |_| server.any_entry())
                .await
                .unwrap()
                .sessions
                .is_empty()
        );
    })
    .await;
}

#[tokio::test]
async fn recent_ends_are_read_page_by_page() {
    on_each_database(async |server| {
        let (user, client) = (server.user("alice").await.id, server.client("app").await.id);
        let sessions = five(server, user, &client).await;
        let ended = server.ended(EndReason::Admin);
        for (n, session) in (0..).zip(&sessions) {
            let ended = tokenhouse::model::Ended { at: ended.at.plus(millis(n)), ..ended };
            server.database.end_session(session.id, ended, &server.any_entry()).await.unwrap();
        }
        server.session(user, &client).await;

        let since = ended.at.plus(millis(1));
        let first = server.database.sessions_ended_since(since, None, 3).await.unwrap();
        let second = server.database.sessions_ended_since(since, Some(first[2].id), 3).await.unwrap();
        let seen: Vec<_> = first.iter().chain(&second).map(|session| session.id).collect();
        assert_eq!(seen, sessions[1..].iter().map(|session| session.id).collect::<Vec<_>>());
        assert_eq!(first[0], ended_session(&sessions[1], tokenhouse::model::Ended { at: since, ..ended }));
        let none = server.database.sessions_ended_since(since.plus(millis(100)), None, 3).await.unwrap();
        assert!(none.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_who_end_the_same_sessions_end_each_once() {
    on_each_database(async |server| {
        let (user, client) = (server.user("alice").await.id, server.client("app").await.id);
        let mut expected = BTreeSet::new();
        for _ in 0..30 {
            expected.insert(server.session(user, &client).await.id);
        }
        let head = server.database.feed_head().await.unwrap();
        let ending: Vec<_> = (0..6)
            .map(|_| {
                let (database, ended) = (server.database.clone(), server.ended(EndReason::Admin));
                let (random, entry) = (server.random.clone(), server.any_entry());
                let touched: Vec<_> = expected.iter().rev().map(|id| (*id, ended.at.plus(millis(9)))).collect();
                tokio::spawn(async move {
                    let mut mine = Vec::new();
                    let entry = |_| tokenhouse::audit::AuditEntry { id: random.uuid(), ..entry.clone() };
                    loop {
                        database.record_session_use(&touched).await.unwrap();
                        let some = database.end_sessions(&of_user(user), ended, 4, entry).await.unwrap().sessions;
                        if some.is_empty() {
                            return mine;
                        }
                        mine.extend(some.iter().map(|session| session.id));
                    }
                })
            })
            .collect();
        let mut seen = Vec::new();
        for ending in ending {
            seen.extend(ending.await.unwrap());
        }

        assert_eq!(seen.len(), 30);
        assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), expected);
        assert_eq!(server.database.feed_head().await.unwrap(), head + 30);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_session_slips_through_while_its_user_is_disabled() {
    on_each_database(async |server| {
        let client = server.client("app").await.id;
        for round in 0..20 {
            let seen = as_seen(&server.user(&format!("user {round}")).await);
            let user = seen.user.id;
            let beginning: Vec<_> = (0..6)
                .map(|_| {
                    let (database, session, entry) =
                        (server.database.clone(), server.new_session(user, &client), server.any_entry());
                    let seen = seen.clone();
                    tokio::spawn(async move { database.begin_session(&session, &seen, &entry).await.unwrap() })
                })
                .collect();
            let (at, entry) = (server.now(), server.any_entry());
            server.database.set_user_state(user, UserState::Disabled, at, &entry).await.unwrap();
            let ended = server.ended(EndReason::UserDisabled);
            while !server
                .database
                .end_sessions(&of_user(user), ended, 2, |_| server.any_entry())
                .await
                .unwrap()
                .sessions
                .is_empty()
            {}
            for beginning in beginning {
                beginning.await.unwrap();
            }

            let live = SessionFilter { live_only: true, ..of_user(user) };
            let page = PageRequest::new(None, None);
            assert!(server.database.list_sessions(&live, &page, server.now()).await.unwrap().items.is_empty());
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_earlier_session_slips_through_a_not_before() {
    on_each_database(async |server| {
        let (user, client) = (server.user("alice").await.id, server.client("app").await.id);
        for round in 0..20 {
            let session = server.new_session(user, &client);
            let (database, entry, id) = (server.database.clone(), server.any_entry(), session.id);
            let seen = server.seen(user).await;
            let beginning = tokio::spawn(async move { database.begin_session(&session, &seen, &entry).await.unwrap() });
            let mark = server.now().plus(millis(1));
            if round % 2 == 0 {
                server.database.raise_global_not_before(mark, mark, ClientTokens::Revoked).await.unwrap();
            } else {
                server.database.raise_client_not_before(&client, mark, mark, ClientTokens::Revoked).await.unwrap();
            }
            let earlier = SessionFilter { issued_before: Some(mark), ..SessionFilter::default() };
            server
                .database
                .end_sessions(&earlier, server.ended(EndReason::IssuedBefore), 100, |_| server.any_entry())
                .await
                .unwrap();
            let begun = beginning.await.unwrap();

            let session = server.database.session(id).await.unwrap();
            match begun {
                BeginOutcome::Refused => assert_eq!(session, None),
                BeginOutcome::Begun => assert!(session.unwrap().ended.is_some()),
            }
            tokio::time::sleep(millis(2)).await;
        }
    })
    .await;
}

async fn five(server: &TestDatabase, user: UserId, client: &ClientId) -> Vec<Session> {
    let mut sessions = Vec::new();
    for _ in 0..5 {
        sessions.push(server.session(user, client).await);
    }
    sessions.sort_by_key(|session| session.id);
    sessions
}
