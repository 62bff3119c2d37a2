use std::time::Duration;

use tokenhouse::clock::Timestamp;
use tokenhouse::model::{ClientId, EndReason, Ended, Session, UserId};
use tokenhouse::store::sql::admission::BeginOutcome;
use tokenhouse::store::sql::feed::Change;

use crate::house::{House, changes_after, ended_session, millis, on_each_database};

const HOUR: Duration = Duration::from_hours(1);

async fn longest(house: &House, later: Duration) -> Duration {
    house.database.status_facts(house.now().plus(later)).await.unwrap().longest_access_lifetime
}

#[tokio::test]
async fn the_longer_life_of_access_tokens_is_remembered_for_two_days() {
    on_each_database(async |house| {
        assert_eq!(longest(house, Duration::ZERO).await, Duration::ZERO, "nothing was ever signed");
        house.database.note_access_lifetime(HOUR, house.now()).await.unwrap();
        assert_eq!(longest(house, HOUR * 100).await, HOUR);

        house.database.note_access_lifetime(millis(60_000), house.now()).await.unwrap();
        assert_eq!(longest(house, HOUR * 47).await, HOUR);
        assert_eq!(longest(house, HOUR * 49).await, millis(60_000));

        house.database.note_access_lifetime(millis(90_000), house.now().plus(millis(1))).await.unwrap();
        assert_eq!(longest(house, HOUR * 47).await, HOUR, "not so long ago it was an hour");
        house.database.note_access_lifetime(HOUR * 2, house.now()).await.unwrap();
        assert_eq!(longest(house, HOUR * 100).await, HOUR * 2);
    })
    .await;
}

#[tokio::test]
async fn an_instance_that_starts_as_before_changes_nothing() {
    on_each_database(async |house| {
        house.database.note_access_lifetime(HOUR, house.now()).await.unwrap();
        house.database.note_access_lifetime(millis(60_000), house.now()).await.unwrap();
        house.database.note_access_lifetime(millis(60_000), house.now().plus(HOUR * 30)).await.unwrap();

        assert_eq!(longest(house, HOUR * 49).await, millis(60_000), "what is remembered is not remembered for longer");
    })
    .await;
}

async fn lists(house: &House) -> Vec<u64> {
    house.database.status_facts(house.now()).await.unwrap().lists.into_iter().collect()
}

/// Begins as many lists.
async fn begin_lists(house: &House, count: u32) {
    house.database.lease_status_indexes(count * 131_072).await.unwrap();
}

#[tokio::test]
async fn a_list_is_begun_with_the_first_index_that_is_leased_of_it() {
    on_each_database(async |house| {
        assert!(lists(house).await.is_empty());
        for (count, begun) in [(1, 1), (131_071, 1), (1, 2), (131_071, 2), (262_145, 5)] {
            house.database.lease_status_indexes(count).await.unwrap();
            assert_eq!(lists(house).await, (0..begun).collect::<Vec<_>>());
        }
    })
    .await;
}

#[tokio::test]
async fn a_list_is_dropped_a_day_after_the_next_was_begun_and_the_last_never() {
    on_each_database(async |house| {
        begin_lists(house, 3).await;
        let now = house.now();

        assert_eq!(house.database.drop_status_lists(now).await.unwrap(), 0);
        assert_eq!(house.database.drop_status_lists(now.plus(HOUR * 25)).await.unwrap(), 0);
        assert_eq!(house.database.drop_status_lists(now.plus(HOUR * 25 + millis(1))).await.unwrap(), 2);
        assert_eq!(house.database.drop_status_lists(now.plus(HOUR * 100)).await.unwrap(), 0);
        assert_eq!(lists(house).await, [2]);
        begin_lists(house, 1).await;
        assert_eq!(lists(house).await, [2, 3]);
    })
    .await;
}

#[tokio::test]
async fn a_list_in_which_something_lives_is_kept() {
    on_each_database(async |house| {
        let (user, client) = (house.user("alice").await.id, house.client("app").await);
        begin_lists(house, 9).await;
        house.database.drop_status_lists(house.now()).await.unwrap();
        let now = house.now().plus(HOUR * 26);
        for (list, ends_at) in [(1, now), (2, now.minus(millis(119_000))), (3, now.minus(millis(120_000)))] {
            session_in(house, user, &client.id, list, ends_at).await;
        }
        let day = HOUR * 24 + millis(120_000);
        for (list, ended_at) in [(4, now.minus(day).plus(millis(1))), (5, now.minus(day))] {
            let session = session_in(house, user, &client.id, list, now.plus(HOUR)).await;
            let ended = Ended { at: ended_at, reason: EndReason::Admin };
            house.database.end_session(session.id, ended, &house.any_entry()).await.unwrap();
        }
        house.sql("update clients set status_index = 6 * 131072").await;
        house.sql("insert into revoked_indexes values (7 * 131072 + 131071, 'app', 0)").await;

        house.database.drop_status_lists(now).await.unwrap();
        assert_eq!(lists(house).await, [1, 2, 4, 6, 7, 8]);
    })
    .await;
}

async fn session_in(house: &House, user: UserId, client: &ClientId, list: i64, ends_at: Timestamp) -> Session {
    let session = Session { status_index: list * 131_072 + 5, ends_at, ..house.new_session(user, client) };
    assert_eq!(house.begin(&session).await, BeginOutcome::Begun);
    session
}

#[tokio::test]
async fn the_end_of_a_session_whose_row_is_gone_is_read_without_its_index() {
    on_each_database(async |house| {
        let (user, client) = (house.user("alice").await.id, house.client("app").await.id);
        let session = house.session(user, &client).await;
        let head = house.database.feed_head().await.unwrap();
        let ended = house.ended(EndReason::Admin);
        house.database.end_session(session.id, ended, &house.any_entry()).await.unwrap();
        house.sql("delete from sessions").await;

        let mut gone = ended_session(&session, ended);
        gone.index = None;
        let page = changes_after(head, [Change::SessionEnded(gone)]);
        assert_eq!(house.database.feed_after(head, 9).await.unwrap(), page);
    })
    .await;
}
