use std::time::Duration;

use tokenhouse::clock::Timestamp;
use tokenhouse::model::{ClientId, EndReason, Ended, Session, UserId};
use tokenhouse::store::sql::admission::BeginOutcome;
use tokenhouse::store::sql::feed::Change;

use crate::test_database::{TestDatabase, changes_after, ended_session, millis, on_each_database};

const HOUR: Duration = Duration::from_hours(1);

async fn longest(server: &TestDatabase, later: Duration) -> Duration {
    server.database.status_facts(server.now().plus(later)).await.unwrap().longest_access_lifetime
}

#[tokio::test]
async fn the_longer_life_of_access_tokens_is_remembered_for_two_days() {
    on_each_database(async |server| {
        assert_eq!(longest(server, Duration::ZERO).await, Duration::ZERO, "nothing was ever signed");
        server.database.note_access_lifetime(HOUR, server.now()).await.unwrap();
        assert_eq!(longest(server, HOUR * 100).await, HOUR);

        server.database.note_access_lifetime(millis(60_000), server.now()).await.unwrap();
        assert_eq!(longest(server, HOUR * 47).await, HOUR);
        assert_eq!(longest(server, HOUR * 49).await, millis(60_000));

        server.database.note_access_lifetime(millis(90_000), server.now().plus(millis(1))).await.unwrap();
        assert_eq!(longest(server, HOUR * 47).await, HOUR, "not so long ago it was an hour");
        server.database.note_access_lifetime(HOUR * 2, server.now()).await.unwrap();
        assert_eq!(longest(server, HOUR * 100).await, HOUR * 2);
    })
    .await;
}

#[tokio::test]
async fn an_instance_that_starts_as_before_changes_nothing() {
    on_each_database(async |server| {
        server.database.note_access_lifetime(HOUR, server.now()).await.unwrap();
        server.database.note_access_lifetime(millis(60_000), server.now()).await.unwrap();
        server.database.note_access_lifetime(millis(60_000), server.now().plus(HOUR * 30)).await.unwrap();

        assert_eq!(longest(server, HOUR * 49).await, millis(60_000), "what is remembered is not remembered for longer");
    })
    .await;
}

async fn lists(server: &TestDatabase) -> Vec<u64> {
    server.database.status_facts(server.now()).await.unwrap().lists.into_iter().collect()
}

/// Begins as many lists.
async fn begin_lists(server: &TestDatabase, count: u32) {
    server.database.lease_status_indexes(count * 131_072).await.unwrap();
}

#[tokio::test]
async fn a_list_is_begun_with_the_first_index_that_is_leased_of_it() {
    on_each_database(async |server| {
        assert!(lists(server).await.is_empty());
        for (count, begun) in [(1, 1), (131_071, 1), (1, 2), (131_071, 2), (262_145, 5)] {
            server.database.lease_status_indexes(count).await.unwrap();
            assert_eq!(lists(server).await, (0..begun).collect::<Vec<_>>());
        }
    })
    .await;
}

#[tokio::test]
async fn a_list_is_dropped_a_day_after_the_next_was_begun_and_the_last_never() {
    on_each_database(async |server| {
        begin_lists(server, 3).await;
        let now = server.now();

        assert_eq!(server.database.drop_status_lists(now).await.unwrap(), 0);
        assert_eq!(server.database.drop_status_lists(now.plus(HOUR * 25)).await.unwrap(), 0);
        assert_eq!(server.database.drop_status_lists(now.plus(HOUR * 25 + millis(1))).await.unwrap(), 2);
        assert_eq!(server.database.drop_status_lists(now.plus(HOUR * 100)).await.unwrap(), 0);
        assert_eq!(lists(server).await, [2]);
        begin_lists(server, 1).await;
        assert_eq!(lists(server).await, [2, 3]);
    })
    .await;
}

#[tokio::test]
async fn a_list_in_which_something_lives_is_kept() {
    on_each_database(async |server| {
        let (user, client) = (server.user("alice").await.id, server.client("app").await);
        begin_lists(server, 9).await;
        server.database.drop_status_lists(server.now()).await.unwrap();
        let now = server.now().plus(HOUR * 26);
        for (list, ends_at) in [(1, now), (2, now.minus(millis(119_000))), (3, now.minus(millis(120_000)))] {
            session_in(server, user, &client.id, list, ends_at).await;
        }
        let day = HOUR * 24 + millis(120_000);
        for (list, ended_at) in [(4, now.minus(day).plus(millis(1))), (5, now.minus(day))] {
            let session = session_in(server, user, &client.id, list, now.plus(HOUR)).await;
            let ended = Ended { at: ended_at, reason: EndReason::Admin };
            server.database.end_session(session.id, ended, &server.any_entry()).await.unwrap();
        }
        server.sql("update clients set status_index = 6 * 131072").await;
        server.sql("insert into revoked_indexes values (7 * 131072 + 131071, 'app', 0)").await;

        server.database.drop_status_lists(now).await.unwrap();
        assert_eq!(lists(server).await, [1, 2, 4, 6, 7, 8]);
    })
    .await;
}

async fn session_in(server: &TestDatabase, user: UserId, client: &ClientId, list: i64, ends_at: Timestamp) -> Session {
    let session = Session { status_index: list * 131_072 + 5, ends_at, ..server.new_session(user, client) };
    assert_eq!(server.begin(&session).await, BeginOutcome::Begun);
    session
}

#[tokio::test]
async fn the_end_of_a_session_whose_row_is_gone_is_read_without_its_index() {
    on_each_database(async |server| {
        let (user, client) = (server.user("alice").await.id, server.client("app").await.id);
        let session = server.session(user, &client).await;
        let head = server.database.feed_head().await.unwrap();
        let ended = server.ended(EndReason::Admin);
        server.database.end_session(session.id, ended, &server.any_entry()).await.unwrap();
        server.sql("delete from sessions").await;

        let mut gone = ended_session(&session, ended);
        gone.index = None;
        let page = changes_after(head, [Change::SessionEnded(gone)]);
        assert_eq!(server.database.feed_after(head, 9).await.unwrap(), page);
    })
    .await;
}
