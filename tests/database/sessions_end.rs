use std::collections::BTreeSet;

use tokenhouse::audit::AuditEvent;
use tokenhouse::model::{ClientId, EndReason, PageRequest, Session, SessionFilter, UserId, UserState};
use tokenhouse::store::sql::admission::BeginOutcome;
use tokenhouse::store::sql::clients::ClientTokens;
use tokenhouse::store::sql::feed::Change;
use tokenhouse::store::sql::sessions::EndOutcome;

use crate::house::{House, as_seen, changes_after, ended_session, millis, of_user, on_each_database};

#[tokio::test]
async fn a_session_ends_once() {
    on_each_database(async |house| {
        let (user, client) = (house.user("alice").await.id, house.client("app").await.id);
        let mut session = house.session(user, &client).await;
        let head = house.database.feed_head().await.unwrap();
        let first = house.ended(EndReason::Reuse);
        let end = async |ended| {
            let event = AuditEvent::SessionEnded {
                session: session.id,
                user,
                client: client.clone(),
                reason: EndReason::Reuse,
            };
            house.database.end_session(session.id, ended, &house.entry(event)).await.unwrap()
        };
        let outcome = end(first).await;
        let audit = house.database.list_audit(&PageRequest::new(None, None)).await.unwrap().items.len();
        let again = end(house.ended(EndReason::Admin)).await;

        session.ended = Some(first);
        assert_eq!(outcome, EndOutcome::Ended(session.clone()));
        assert_eq!(again, EndOutcome::EndedBefore(session.clone()));
        assert_eq!(house.database.session(session.id).await.unwrap(), Some(session.clone()));
        let change = Change::SessionEnded(ended_session(&session, first));
        assert_eq!(house.database.feed_after(head, 9).await.unwrap(), changes_after(head, [change]));
        assert_eq!(house.database.list_audit(&PageRequest::new(None, None)).await.unwrap().items.len(), audit);
        let unknown = house.new_session(user, &client).id;
        let absent = house.database.end_session(unknown, first, &house.any_entry()).await.unwrap();
        assert_eq!(absent, EndOutcome::Absent);
    })
    .await;
}

#[tokio::test]
async fn matching_sessions_end_in_batches_oldest_first_with_a_feed_row_each() {
    on_each_database(async |house| {
        let (alice, bob) = (house.user("alice").await.id, house.user("bob").await.id);
        let client = house.client("app").await.id;
        let sessions = five(house, alice, &client).await;
        let other = house.session(bob, &client).await;
        let head = house.database.feed_head().await.unwrap();
        let ended = house.ended(EndReason::Admin);

        let mut batches = Vec::new();
        let mut all = Vec::new();
        loop {
            let batch =
                house.database.end_sessions(&of_user(alice), ended, 2, |_| house.any_entry()).await.unwrap().sessions;
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
        assert_eq!(house.database.feed_after(head, 100).await.unwrap(), changes_after(head, changes));
        assert_eq!(house.database.feed_head().await.unwrap(), head + 5);
        assert_eq!(house.database.session(other.id).await.unwrap().unwrap().ended, None);
    })
    .await;
}

#[tokio::test]
async fn only_live_sessions_that_match_every_part_of_the_filter_end() {
    on_each_database(async |house| {
        let (alice, bob) = (house.user("alice").await.id, house.user("bob").await.id);
        let (web, app) = (house.client("web").await.id, house.client("app").await.id);
        let start = house.now();
        let begin = async |user, client: &ClientId, seconds: u64| {
            let mut session = house.new_session(user, client);
            session.created_at = start.plus(millis(seconds * 1000));
            session.ends_at = session.created_at.plus(millis(60_000));
            assert_eq!(house.begin(&session).await, BeginOutcome::Begun);
            session.id
        };
        let meant = begin(alice, &web, 1).await;
        begin(alice, &app, 1).await;
        begin(bob, &web, 1).await;
        begin(alice, &web, 2).await;
        let before = begin(alice, &web, 0).await;
        house.database.end_session(before, house.ended(EndReason::SignedOut), &house.any_entry()).await.unwrap();

        let filter = SessionFilter {
            client: Some(web.clone()),
            issued_before: Some(start.plus(millis(2000))),
            ..of_user(alice)
        };
        let ended = house.ended(EndReason::IssuedBefore);
        let sessions = house.database.end_sessions(&filter, ended, 100, |_| house.any_entry()).await.unwrap().sessions;
        assert_eq!(sessions.iter().map(|session| session.id).collect::<Vec<_>>(), [meant]);

        let over = tokenhouse::model::Ended { at: start.plus(millis(61_500)), reason: EndReason::Admin };
        let rest = house
            .database
            .end_sessions(&SessionFilter::default(), over, 100, |_| house.any_entry())
            .await
            .unwrap()
            .sessions;
        assert_eq!(rest.len(), 1, "two are past their absolute end");
        assert!(
            house
                .database
                .end_sessions(&SessionFilter::default(), over, 100, |_| house.any_entry())
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
    on_each_database(async |house| {
        let (user, client) = (house.user("alice").await.id, house.client("app").await.id);
        let sessions = five(house, user, &client).await;
        let ended = house.ended(EndReason::Admin);
        for (n, session) in (0..).zip(&sessions) {
            let ended = tokenhouse::model::Ended { at: ended.at.plus(millis(n)), ..ended };
            house.database.end_session(session.id, ended, &house.any_entry()).await.unwrap();
        }
        house.session(user, &client).await;

        let since = ended.at.plus(millis(1));
        let first = house.database.sessions_ended_since(since, None, 3).await.unwrap();
        let second = house.database.sessions_ended_since(since, Some(first[2].id), 3).await.unwrap();
        let seen: Vec<_> = first.iter().chain(&second).map(|session| session.id).collect();
        assert_eq!(seen, sessions[1..].iter().map(|session| session.id).collect::<Vec<_>>());
        assert_eq!(first[0], ended_session(&sessions[1], tokenhouse::model::Ended { at: since, ..ended }));
        let none = house.database.sessions_ended_since(since.plus(millis(100)), None, 3).await.unwrap();
        assert!(none.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_who_end_the_same_sessions_end_each_once() {
    on_each_database(async |house| {
        let (user, client) = (house.user("alice").await.id, house.client("app").await.id);
        let mut expected = BTreeSet::new();
        for _ in 0..30 {
            expected.insert(house.session(user, &client).await.id);
        }
        let head = house.database.feed_head().await.unwrap();
        let ending: Vec<_> = (0..6)
            .map(|_| {
                let (database, ended) = (house.database.clone(), house.ended(EndReason::Admin));
                let (random, entry) = (house.random.clone(), house.any_entry());
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
        assert_eq!(house.database.feed_head().await.unwrap(), head + 30);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_session_slips_through_while_its_user_is_disabled() {
    on_each_database(async |house| {
        let client = house.client("app").await.id;
        for round in 0..20 {
            let seen = as_seen(&house.user(&format!("user {round}")).await);
            let user = seen.user.id;
            let beginning: Vec<_> = (0..6)
                .map(|_| {
                    let (database, session, entry) =
                        (house.database.clone(), house.new_session(user, &client), house.any_entry());
                    let seen = seen.clone();
                    tokio::spawn(async move { database.begin_session(&session, &seen, &entry).await.unwrap() })
                })
                .collect();
            let (at, entry) = (house.now(), house.any_entry());
            house.database.set_user_state(user, UserState::Disabled, at, &entry).await.unwrap();
            let ended = house.ended(EndReason::UserDisabled);
            while !house
                .database
                .end_sessions(&of_user(user), ended, 2, |_| house.any_entry())
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
            assert!(house.database.list_sessions(&live, &page, house.now()).await.unwrap().items.is_empty());
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_earlier_session_slips_through_a_not_before() {
    on_each_database(async |house| {
        let (user, client) = (house.user("alice").await.id, house.client("app").await.id);
        for round in 0..20 {
            let session = house.new_session(user, &client);
            let (database, entry, id) = (house.database.clone(), house.any_entry(), session.id);
            let seen = house.seen(user).await;
            let beginning = tokio::spawn(async move { database.begin_session(&session, &seen, &entry).await.unwrap() });
            let mark = house.now().plus(millis(1));
            if round % 2 == 0 {
                house.database.raise_global_not_before(mark, mark, ClientTokens::Revoked).await.unwrap();
            } else {
                house.database.raise_client_not_before(&client, mark, mark, ClientTokens::Revoked).await.unwrap();
            }
            let earlier = SessionFilter { issued_before: Some(mark), ..SessionFilter::default() };
            house
                .database
                .end_sessions(&earlier, house.ended(EndReason::IssuedBefore), 100, |_| house.any_entry())
                .await
                .unwrap();
            let begun = beginning.await.unwrap();

            let session = house.database.session(id).await.unwrap();
            match begun {
                BeginOutcome::Refused => assert_eq!(session, None),
                BeginOutcome::Begun => assert!(session.unwrap().ended.is_some()),
            }
            tokio::time::sleep(millis(2)).await;
        }
    })
    .await;
}

async fn five(house: &House, user: UserId, client: &ClientId) -> Vec<Session> {
    let mut sessions = Vec::new();
    for _ in 0..5 {
        sessions.push(house.session(user, client).await);
    }
    sessions.sort_by_key(|session| session.id);
    sessions
}
