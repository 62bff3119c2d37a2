use std::time::Duration;

use tokenhouse::audit::AuditEntry;
use tokenhouse::clock::Timestamp;
use tokenhouse::model::{Client, ClientId, ClientState, ClientStatusIndex, RevokedIndex};
use tokenhouse::store::sql::clients::ClientTokens;
use tokenhouse::store::sql::feed::Change;

use crate::house::{House, changes_after, millis, on_each_database};

async fn index_of(house: &House, id: &ClientId) -> i64 {
    house.database.client(id).await.unwrap().unwrap().status_index
}

/// A client with a status index that was leased for it.
async fn client(house: &House, id: &str) -> Client {
    let mut client = house.new_client(id);
    client.status_index = house.database.lease_status_indexes(1).await.unwrap().start;
    house.database.add_client(&client, &house.any_entry()).await.unwrap();
    client
}

async fn retired(house: &House) -> Vec<RevokedIndex> {
    house.database.revoked_indexes(Timestamp::default()).await.unwrap()
}

fn of(client: &Client, at: Timestamp) -> RevokedIndex {
    let index = ClientStatusIndex { client_id: client.id.clone(), status_index: client.status_index };
    RevokedIndex { index, at }
}

#[tokio::test]
async fn a_client_whose_not_before_rises_gets_another_index_and_the_feed_says_so() {
    on_each_database(async |house| {
        let (one, other) = (client(house, "one").await, client(house, "two").await);
        let (head, at) = (house.database.feed_head().await.unwrap(), house.now());
        house.database.raise_client_not_before(&one.id, at, at, ClientTokens::Revoked).await.unwrap();

        assert_eq!(retired(house).await, [of(&one, at)]);
        assert_eq!((index_of(house, &one.id).await, index_of(house, &other.id).await), (2, 1));
        assert_eq!(house.database.lease_status_indexes(1).await.unwrap(), 3..4);
        let changes = [Change::Client(one.id.clone()), Change::IndexRevoked(of(&one, at))];
        assert_eq!(house.database.feed_after(head, 9).await.unwrap(), changes_after(head, changes));

        house.database.raise_client_not_before(&one.id, at.minus(millis(1)), at, ClientTokens::Revoked).await.unwrap();
        assert_eq!(index_of(house, &one.id).await, 4, "it did not rise, but tokens of meanwhile are meant too");
    })
    .await;
}

#[tokio::test]
async fn a_not_before_that_concerns_no_living_token_takes_no_index() {
    on_each_database(async |house| {
        let (client, at) = (client(house, "app").await, house.now());
        let mark = at.minus(Duration::from_mins(30));

        house.database.raise_client_not_before(&client.id, mark, at, ClientTokens::Stay).await.unwrap();
        house.database.raise_global_not_before(mark, at, ClientTokens::Stay).await.unwrap();
        assert_eq!((retired(house).await.len(), index_of(house, &client.id).await), (0, client.status_index));
        assert_eq!(house.database.client(&client.id).await.unwrap().unwrap().not_before, mark);
        assert_eq!(house.database.global_not_before().await.unwrap(), mark);

        house.database.raise_client_not_before(&client.id, mark, at, ClientTokens::Revoked).await.unwrap();
        assert_eq!(retired(house).await, [of(&client, at)], "from now on, not from the not_before on");
    })
    .await;
}

#[tokio::test]
async fn a_client_that_is_disabled_loses_its_index_once() {
    on_each_database(async |house| {
        let client = client(house, "app").await;
        let entry = || house.any_entry();
        let at = house.now();
        for at in [at, at.plus(millis(1))] {
            house.database.set_client_state(&client.id, ClientState::Disabled, at, &entry()).await.unwrap();
        }
        house
            .database
            .raise_client_not_before(&client.id, at.plus(millis(2)), at.plus(millis(2)), ClientTokens::Revoked)
            .await
            .unwrap();
        assert_eq!(retired(house).await, [of(&client, at)]);

        house.database.set_client_state(&client.id, ClientState::Active, at.plus(millis(3)), &entry()).await.unwrap();
        assert_eq!(index_of(house, &client.id).await, 1);
        let removal = AuditEntry { at: at.plus(millis(4)), ..entry() };
        house.database.remove_client(&client.id, &removal).await.unwrap();
        let second = RevokedIndex { at: removal.at, ..of(&Client { status_index: 1, ..client.clone() }, at) };
        assert_eq!(retired(house).await, [of(&client, at), second]);
    })
    .await;
}

#[tokio::test]
async fn every_client_gets_another_index_when_everything_is_revoked() {
    on_each_database(async |house| {
        let (one, two) = (client(house, "one").await, client(house, "two").await);
        let (late, disabled) = (client(house, "late").await, client(house, "off").await);
        let at = house.now();
        house.database.set_client_state(&disabled.id, ClientState::Disabled, at, &house.any_entry()).await.unwrap();
        house
            .database
            .raise_client_not_before(&late.id, at.plus(millis(9_000)), at.plus(millis(9_000)), ClientTokens::Revoked)
            .await
            .unwrap();
        let late_index = index_of(house, &late.id).await;
        let (before, head) = (retired(house).await.len(), house.database.feed_head().await.unwrap());

        let at = at.plus(millis(1));
        house.database.raise_global_not_before(at, at, ClientTokens::Revoked).await.unwrap();
        assert_eq!(retired(house).await.len(), before + 3);
        assert_ne!(index_of(house, &one.id).await, one.status_index);
        assert_ne!(index_of(house, &two.id).await, two.status_index);
        assert_ne!(index_of(house, &one.id).await, index_of(house, &two.id).await);
        let late = Client { status_index: late_index, ..late };
        let retired_now = [&late, &one, &two].map(|client| Change::IndexRevoked(of(client, at)));
        let changes = [Change::GlobalNotBefore].into_iter().chain(retired_now);
        assert_eq!(house.database.feed_after(head, 9).await.unwrap(), changes_after(head, changes));

        house.database.raise_global_not_before(at.minus(millis(1)), at, ClientTokens::Revoked).await.unwrap();
        assert_eq!(retired(house).await.len(), before + 6, "it did not rise, but tokens of meanwhile are meant too");
    })
    .await;
}

#[tokio::test]
async fn a_change_of_a_client_retires_its_index_where_its_tokens_are_revoked() {
    on_each_database(async |house| {
        let client = client(house, "app").await;
        for (client_tokens, indexes) in [(ClientTokens::Stay, 0), (ClientTokens::Revoked, 1)] {
            let edit = |client| Ok((client, client_tokens));
            let (before, after) =
                house.database.edit_client(&client.id, &house.any_entry(), edit).await.unwrap().unwrap();
            assert_eq!(before.status_index, client.status_index);
            assert_eq!(after.status_index, index_of(house, &client.id).await);
            assert_eq!(retired(house).await.len(), indexes);
        }
    })
    .await;
}

#[tokio::test]
async fn indexes_that_were_retired_long_ago_are_forgotten() {
    on_each_database(async |house| {
        let client = client(house, "app").await;
        let (at, hour) = (house.now(), Duration::from_hours(1));
        for later in 0..3 {
            house
                .database
                .raise_client_not_before(
                    &client.id,
                    at.plus(hour * later),
                    at.plus(hour * later),
                    ClientTokens::Revoked,
                )
                .await
                .unwrap();
        }

        assert_eq!(house.database.revoked_indexes(at.plus(hour)).await.unwrap().len(), 2);
        assert_eq!(house.database.prune_revoked_indexes(at.plus(hour)).await.unwrap(), 1);
        assert_eq!(retired(house).await.len(), 2);
    })
    .await;
}
