use std::time::Duration;

use tokenhouse::audit::AuditEntry;
use tokenhouse::clock::Timestamp;
use tokenhouse::model::{Client, ClientId, ClientState, ClientStatusIndex, RevokedIndex};
use tokenhouse::store::sql::clients::ClientTokens;
use tokenhouse::store::sql::feed::Change;

use crate::test_database::{TestDatabase, changes_after, millis, on_each_database};

async fn index_of(server: &TestDatabase, id: &ClientId) -> i64 {
    server.database.client(id).await.unwrap().unwrap().status_index
}

/// A client with a status index that was leased for it.
async fn client(server: &TestDatabase, id: &str) -> Client {
    let mut client = server.new_client(id);
    client.status_index = server.database.lease_status_indexes(1).await.unwrap().start;
    server.database.add_client(&client, &server.any_entry()).await.unwrap();
    client
}

async fn retired(server: &TestDatabase) -> Vec<RevokedIndex> {
    server.database.revoked_indexes(Timestamp::default()).await.unwrap()
}

fn of(client: &Client, at: Timestamp) -> RevokedIndex {
    let index = ClientStatusIndex { client_id: client.id.clone(), status_index: client.status_index };
    RevokedIndex { index, at }
}

#[tokio::test]
async fn a_client_whose_not_before_rises_gets_another_index_and_the_feed_says_so() {
    on_each_database(async |server| {
        let (one, other) = (client(server, "one").await, client(server, "two").await);
        let (head, at) = (server.database.feed_head().await.unwrap(), server.now());
        server.database.raise_client_not_before(&one.id, at, at, ClientTokens::Revoked).await.unwrap();

        assert_eq!(retired(server).await, [of(&one, at)]);
        assert_eq!((index_of(server, &one.id).await, index_of(server, &other.id).await), (2, 1));
        assert_eq!(server.database.lease_status_indexes(1).await.unwrap(), 3..4);
        let changes = [Change::Client(one.id.clone()), Change::IndexRevoked(of(&one, at))];
        assert_eq!(server.database.feed_after(head, 9).await.unwrap(), changes_after(head, changes));

        server.database.raise_client_not_before(&one.id, at.minus(millis(1)), at, ClientTokens::Revoked).await.unwrap();
        assert_eq!(index_of(server, &one.id).await, 4, "it did not rise, but tokens of meanwhile are meant too");
    })
    .await;
}

#[tokio::test]
async fn a_not_before_that_concerns_no_living_token_takes_no_index() {
    on_each_database(async |server| {
        let (client, at) = (client(server, "app").await, server.now());
        let mark = at.minus(Duration::from_mins(30));

        server.database.raise_client_not_before(&client.id, mark, at, ClientTokens::Stay).await.unwrap();
        server.database.raise_global_not_before(mark, at, ClientTokens::Stay).await.unwrap();
        assert_eq!((retired(server).await.len(), index_of(server, &client.id).await), (0, client.status_index));
        assert_eq!(server.database.client(&client.id).await.unwrap().unwrap().not_before, mark);
        assert_eq!(server.database.global_not_before().await.unwrap(), mark);

        server.database.raise_client_not_before(&client.id, mark, at, ClientTokens::Revoked).await.unwrap();
        assert_eq!(retired(server).await, [of(&client, at)], "from now on, not from the not_before on");
    })
    .await;
}

#[tokio::test]
async fn a_client_that_is_disabled_loses_its_index_once() {
    on_each_database(async |server| {
        let client = client(server, "app").await;
        let entry = || server.any_entry();
        let at = server.now();
        for at in [at, at.plus(millis(1))] {
            server.database.set_client_state(&client.id, ClientState::Disabled, at, &entry()).await.unwrap();
        }
        server
            .database
            .raise_client_not_before(&client.id, at.plus(millis(2)), at.plus(millis(2)), ClientTokens::Revoked)
            .await
            .unwrap();
        assert_eq!(retired(server).await, [of(&client, at)]);

        server.database.set_client_state(&client.id, ClientState::Active, at.plus(millis(3)), &entry()).await.unwrap();
        assert_eq!(index_of(server, &client.id).await, 1);
        let removal = AuditEntry { at: at.plus(millis(4)), ..entry() };
        server.database.remove_client(&client.id, &removal).await.unwrap();
        let second = RevokedIndex { at: removal.at, ..of(&Client { status_index: 1, ..client.clone() }, at) };
        assert_eq!(retired(server).await, [of(&client, at), second]);
    })
    .await;
}

#[tokio::test]
async fn every_client_gets_another_index_when_everything_is_revoked() {
    on_each_database(async |server| {
        let (one, two) = (client(server, "one").await, client(server, "two").await);
        let (late, disabled) = (client(server, "late").await, client(server, "off").await);
        let at = server.now();
        server.database.set_client_state(&disabled.id, ClientState::Disabled, at, &server.any_entry()).await.unwrap();
        server
            .database
            .raise_client_not_before(&late.id, at.plus(millis(9_000)), at.plus(millis(9_000)), ClientTokens::Revoked)
            .await
            .unwrap();
        let late_index = index_of(server, &late.id).await;
        let (before, head) = (retired(server).await.len(), server.database.feed_head().await.unwrap());

        let at = at.plus(millis(1));
        server.database.raise_global_not_before(at, at, ClientTokens::Revoked).await.unwrap();
        assert_eq!(retired(server).await.len(), before + 3);
        assert_ne!(index_of(server, &one.id).await, one.status_index);
        assert_ne!(index_of(server, &two.id).await, two.status_index);
        assert_ne!(index_of(server, &one.id).await, index_of(server, &two.id).await);
        let late = Client { status_index: late_index, ..late };
        let retired_now = [&late, &one, &two].map(|client| Change::IndexRevoked(of(client, at)));
        let changes = [Change::GlobalNotBefore].into_iter().chain(retired_now);
        assert_eq!(server.database.feed_after(head, 9).await.unwrap(), changes_after(head, changes));

        server.database.raise_global_not_before(at.minus(millis(1)), at, ClientTokens::Revoked).await.unwrap();
        assert_eq!(retired(server).await.len(), before + 6, "it did not rise, but tokens of meanwhile are meant too");
    })
    .await;
}

#[tokio::test]
async fn a_change_of_a_client_retires_its_index_where_its_tokens_are_revoked() {
    on_each_database(async |server| {
        let client = client(server, "app").await;
        for (client_tokens, indexes) in [(ClientTokens::Stay, 0), (ClientTokens::Revoked, 1)] {
            let edit = |client| Ok((client, client_tokens));
            let (before, after) =
                server.database.edit_client(&client.id, &server.any_entry(), edit).await.unwrap().unwrap();
            assert_eq!(before.status_index, client.status_index);
            assert_eq!(after.status_index, index_of(server, &client.id).await);
            assert_eq!(retired(server).await.len(), indexes);
        }
    })
    .await;
}

#[tokio::test]
async fn indexes_that_were_retired_long_ago_are_forgotten() {
    on_each_database(async |server| {
        let client = client(server, "app").await;
        let (at, hour) = (server.now(), Duration::from_hours(1));
        for later in 0..3 {
            server
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

        assert_eq!(server.database.revoked_indexes(at.plus(hour)).await.unwrap().len(), 2);
        assert_eq!(server.database.prune_revoked_indexes(at.plus(hour)).await.unwrap(), 1);
        assert_eq!(retired(server).await.len(), 2);
    })
    .await;
}
