use tokenhouse::model::{ClientStatusIndex, EndReason, RevokedIndex};
use tokenhouse::store::sql::clients::ClientTokens;
use tokenhouse::store::sql::feed::{Change, FeedPage};

use crate::test_database::{TestDatabase, changes_after, ended_session, millis, on_each_database};

#[tokio::test]
async fn changes_are_read_in_order_from_any_index() {
    on_each_database(async |server| {
        let (user, client) = (server.user("alice").await.id, server.client("app").await);
        let past = server.now().minus(millis(9_000));
        server.database.raise_global_not_before(past, past, ClientTokens::Revoked).await.unwrap();
        let session = server.session(user, &client.id).await;
        let ended = server.ended(EndReason::Repeated);
        server.database.end_session(session.id, ended, &server.any_entry()).await.unwrap();
        let index = ClientStatusIndex { client_id: client.id.clone(), status_index: client.status_index };
        let all = [
            Change::User(user),
            Change::Client(client.id.clone()),
            Change::GlobalNotBefore,
            Change::IndexRevoked(RevokedIndex { index, at: past }),
            Change::SessionEnded(ended_session(&session, ended)),
        ];

        assert_eq!(server.database.feed_head().await.unwrap(), 5);
        for after in 0..5 {
            let rest = all[usize::try_from(after).unwrap()..].to_vec();
            assert_eq!(server.database.feed_after(after, 10).await.unwrap(), changes_after(after, rest));
        }
        assert_eq!(server.database.feed_after(1, 2).await.unwrap(), changes_after(1, all[1..3].to_vec()));
        assert_eq!(server.database.feed_after(5, 10).await.unwrap(), changes_after(5, []));
    })
    .await;
}

#[tokio::test]
async fn a_reader_of_an_empty_feed_stays_at_its_index() {
    on_each_database(async |server| {
        assert_eq!(server.database.feed_head().await.unwrap(), 0);
        assert_eq!(server.database.feed_after(0, 10).await.unwrap(), changes_after(0, []));
    })
    .await;
}

#[tokio::test]
async fn a_reader_behind_what_was_pruned_or_ahead_of_the_head_drops_everything() {
    on_each_database(async |server| {
        users_at(server, &[10, 20, 30, 40]).await;
        assert_eq!(server.database.prune_feed(at(25)).await.unwrap(), 2);

        assert_eq!(server.database.feed_after(0, 10).await.unwrap(), FeedPage::Behind(4));
        assert_eq!(server.database.feed_after(1, 10).await.unwrap(), FeedPage::Behind(4));
        let FeedPage::Changes(changes, 4) = server.database.feed_after(2, 10).await.unwrap() else { panic!("behind") };
        assert_eq!(changes.len(), 2);
        assert_eq!(server.database.feed_after(5, 10).await.unwrap(), FeedPage::Behind(4));
    })
    .await;
}

#[tokio::test]
async fn pruning_stops_at_the_first_row_that_is_not_old() {
    on_each_database(async |server| {
        users_at(server, &[10, 50, 20, 30]).await;
        assert_eq!(server.database.prune_feed(at(40)).await.unwrap(), 1);
        assert_eq!(server.database.prune_feed(at(40)).await.unwrap(), 0);
        let FeedPage::Changes(changes, 4) = server.database.feed_after(1, 10).await.unwrap() else { panic!("behind") };
        assert_eq!(changes.len(), 3);

        assert_eq!(server.database.prune_feed(at(60)).await.unwrap(), 3);
        assert_eq!(server.database.feed_head().await.unwrap(), 4, "numbers are never used again");
        assert_eq!(server.database.feed_after(4, 10).await.unwrap(), changes_after(4, []));
        users_at(server, &[70]).await;
        assert_eq!(server.database.feed_head().await.unwrap(), 5);
    })
    .await;
}

#[tokio::test]
async fn more_rows_than_are_pruned_at_once_are_pruned() {
    on_each_database(async |server| {
        server
            .sql(
                "insert into feed (seq, kind, subject, at)
                 with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < 12000)
                 select n, 'keys', '', n from numbers;
                 update feed_head set seq = 12000",
            )
            .await;

        assert_eq!(server.database.prune_feed(at(11_001)).await.unwrap(), 11_000);
        assert_eq!(server.database.prune_feed(at(99_999)).await.unwrap(), 1_000);
    })
    .await;
}

/// The order of the numbers is the order in which changes become visible: a reader that has seen number n will never
/// meet a smaller one.
#[tokio::test(flavor = "multi_thread")]
async fn a_reader_misses_nothing_while_many_write() {
    on_each_database(async |server| {
        let writing: Vec<_> = (0..6)
            .map(|writer| {
                let database = server.database.clone();
                let users: Vec<_> = (0..15)
                    .map(|n| (server.new_user(&format!("user {writer} {n}"), None), server.any_entry()))
                    .collect();
                tokio::spawn(async move {
                    for (user, entry) in users {
                        database.add_user(&user, None, &entry).await.unwrap();
                        // A change that fails after it has taken its number: the audit entry exists already.
                        if user.username.ends_with('7') {
                            database.remove_user(user.id, &entry).await.unwrap_err();
                        }
                    }
                })
            })
            .collect();
        let mut seen = 0;
        let mut index = 0;
        while seen < 90 {
            let FeedPage::Changes(changes, next) = server.database.feed_after(index, 7).await.unwrap() else {
                panic!("behind")
            };
            seen += changes.len();
            assert_eq!(i64::try_from(seen).unwrap(), next, "no gap");
            index = next;
        }
        for writing in writing {
            writing.await.unwrap();
        }

        assert_eq!(server.database.feed_head().await.unwrap(), 90);
    })
    .await;
}

#[tokio::test]
async fn a_row_that_cannot_be_read_may_be_any_change_and_stops_no_reader() {
    on_each_database(async |server| {
        server.user("alice").await;
        for damage in ["update feed set kind = 'future'", "update feed set kind = 'user', subject = 'nobody'"] {
            server.sql(damage).await;

            assert_eq!(server.database.feed_after(0, 10).await.unwrap(), changes_after(0, [Change::Unknown]));
        }
    })
    .await;
}

fn at(millis: i64) -> tokenhouse::clock::Timestamp {
    tokenhouse::clock::Timestamp::from_millis(millis)
}

async fn users_at(server: &TestDatabase, times: &[i64]) {
    for time in times {
        let user = server.new_user(&format!("user at {time}"), None);
        let mut entry = server.any_entry();
        entry.at = at(*time);
        server.database.add_user(&user, None, &entry).await.unwrap();
    }
}
