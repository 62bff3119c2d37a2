use std::time::Duration;

use tokenhouse::model::EndReason;
use tokenhouse::store::ledger::feed::Change;

use crate::house::{House, changes_after, ended_session, millis, on_each_database};

const HOUR: Duration = Duration::from_hours(1);

async fn longest(house: &House, later: Duration) -> Duration {
    house.ledger.status_facts(house.now().plus(later)).await.unwrap().longest_access_lifetime
}

#[tokio::test]
async fn the_longer_life_of_access_tokens_is_remembered_for_two_days() {
    on_each_database(async |house| {
        assert_eq!(longest(house, Duration::ZERO).await, Duration::ZERO, "nothing was ever signed");
        house.ledger.note_access_lifetime(HOUR, house.now()).await.unwrap();
        assert_eq!(longest(house, HOUR * 100).await, HOUR);

        house.ledger.note_access_lifetime(millis(60_000), house.now()).await.unwrap();
        assert_eq!(longest(house, HOUR * 47).await, HOUR);
        assert_eq!(longest(house, HOUR * 49).await, millis(60_000));

        house.ledger.note_access_lifetime(millis(90_000), house.now().plus(millis(1))).await.unwrap();
        assert_eq!(longest(house, HOUR * 47).await, HOUR, "not so long ago it was an hour");
        house.ledger.note_access_lifetime(HOUR * 2, house.now()).await.unwrap();
        assert_eq!(longest(house, HOUR * 100).await, HOUR * 2);
    })
    .await;
}

#[tokio::test]
async fn an_instance_that_starts_as_before_changes_nothing() {
    on_each_database(async |house| {
        house.ledger.note_access_lifetime(HOUR, house.now()).await.unwrap();
        house.ledger.note_access_lifetime(millis(60_000), house.now()).await.unwrap();
        house.ledger.note_access_lifetime(millis(60_000), house.now().plus(HOUR * 30)).await.unwrap();

        assert_eq!(longest(house, HOUR * 49).await, millis(60_000), "what is remembered is not remembered for longer");
    })
    .await;
}

#[tokio::test]
async fn the_facts_say_how_many_places_are_leased() {
    on_each_database(async |house| {
        assert_eq!(house.ledger.status_facts(house.now()).await.unwrap().leased, 0);
        house.ledger.lease_status_indexes(1024).await.unwrap();
        assert_eq!(house.ledger.status_facts(house.now()).await.unwrap().leased, 1024);
    })
    .await;
}

#[tokio::test]
async fn the_end_of_a_session_whose_row_is_gone_is_read_without_its_place() {
    on_each_database(async |house| {
        let (user, client) = (house.user("alice").await.id, house.client("app").await.id);
        let session = house.session(user, &client).await;
        let head = house.ledger.feed_head().await.unwrap();
        let ended = house.ended(EndReason::Admin);
        house.ledger.end_session(session.id, ended, &house.any_entry()).await.unwrap();
        house.sql("delete from sessions").await;

        let mut gone = ended_session(&session, ended);
        gone.place = None;
        let page = changes_after(head, [Change::SessionEnded(gone)]);
        assert_eq!(house.ledger.feed_after(head, 9).await.unwrap(), page);
    })
    .await;
}
