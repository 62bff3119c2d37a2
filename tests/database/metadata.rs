use std::collections::BTreeSet;

use tokenhouse::audit::{Actor, AuditEvent};
use tokenhouse::clock::Timestamp;
use tokenhouse::model::PageRequest;
use tokenhouse::store::sql::clients::ClientTokens;
use tokenhouse::store::sql::feed::Change;

use crate::test_database::{changes_after, millis, on_each_database};

#[tokio::test(flavor = "multi_thread")]
async fn the_master_keys_check_value_is_set_by_one_of_many() {
    on_each_database(async |server| {
        assert_eq!(server.database.master_key_check().await.unwrap(), None);
        let setting: Vec<_> = (0..8_u8)
            .map(|n| {
                let database = server.database.clone();
                tokio::spawn(async move { database.set_master_key_check(None, &[n, 0, 255]).await.unwrap() })
            })
            .collect();
        let mut winner = None;
        for (n, setting) in (0..8_u8).zip(setting) {
            if setting.await.unwrap() {
                assert_eq!(winner.replace(n), None);
            }
        }

        let value = vec![winner.unwrap(), 0, 255];
        assert_eq!(server.database.master_key_check().await.unwrap(), Some(value.clone()));
        assert!(!server.database.set_master_key_check(Some(b"other"), b"new").await.unwrap());
        assert!(server.database.set_master_key_check(Some(&value), b"new").await.unwrap());
        assert_eq!(server.database.master_key_check().await.unwrap(), Some(b"new".to_vec()));
    })
    .await;
}

#[tokio::test]
async fn the_global_not_before_only_rises() {
    on_each_database(async |server| {
        assert_eq!(server.database.global_not_before().await.unwrap(), Timestamp::default());
        let at = server.now();
        server.database.raise_global_not_before(at, at, ClientTokens::Stay).await.unwrap();
        server
            .database
            .raise_global_not_before(at.minus(millis(1)), at.minus(millis(1)), ClientTokens::Stay)
            .await
            .unwrap();
        server.database.raise_global_not_before(at, at, ClientTokens::Stay).await.unwrap();

        assert_eq!(server.database.global_not_before().await.unwrap(), at);
        let feed = changes_after(0, [Change::GlobalNotBefore]);
        assert_eq!(server.database.feed_after(0, 10).await.unwrap(), feed);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_in_the_status_lists_is_never_given_out_twice() {
    on_each_database(async |server| {
        let leasing: Vec<_> = (0..10)
            .map(|_| {
                let database = server.database.clone();
                tokio::spawn(async move { database.lease_status_indexes(100).await.unwrap() })
            })
            .collect();
        let mut indexes = BTreeSet::new();
        for leasing in leasing {
            let lease = leasing.await.unwrap();
            assert_eq!(lease.end - lease.start, 100);
            indexes.extend(lease);
        }

        assert_eq!(indexes.len(), 1000);
        assert_eq!((indexes.first(), indexes.last()), (Some(&0), Some(&999)));
        assert_eq!(server.database.lease_status_indexes(1).await.unwrap(), 1000..1001);
    })
    .await;
}

#[tokio::test]
async fn the_audit_is_read_newest_first() {
    on_each_database(async |server| {
        let mut entries = Vec::new();
        for n in 0..5 {
            server.clock.advance(millis(1));
            let mut entry = server.entry(AuditEvent::KeyPublished { kid: format!("kid {n}") });
            entry.actor = Actor::Admin("somebody".to_owned());
            server.database.record(&entry).await.unwrap();
            entries.insert(0, entry);
        }

        let first = server.database.list_audit(&PageRequest::new(None, Some(3))).await.unwrap();
        let second = server.database.list_audit(&PageRequest::new(first.next.clone(), Some(3))).await.unwrap();
        assert!(second.next.is_none());
        let records: Vec<_> = first.items.into_iter().chain(second.items).collect();
        assert_eq!(records.len(), 5);
        for (record, entry) in records.iter().zip(&entries) {
            assert_eq!((&record.id, record.at, &record.actor), (&entry.id.to_string(), entry.at, &entry.actor));
            assert_eq!(record.event["event"], "key_published");
        }
    })
    .await;
}

#[tokio::test]
async fn every_statement_is_counted() {
    on_each_database(async |server| {
        let before = server.database.statements();
        server.database.ping().await.unwrap();
        assert_eq!(server.database.statements(), before + 1);
        server.user("alice").await;
        assert!(server.database.statements() > before + 4);
    })
    .await;
}

#[tokio::test]
async fn what_is_old_is_removed_and_the_rest_stays() {
    on_each_database(async |server| {
        let user = server.user("ada").await;
        let client = server.client("app").await;
        let session = server.session(user.id, &client.id).await;
        server.database.record(&server.any_entry()).await.unwrap();
        let (now, years) = (server.now(), millis(3650 * 86_400_000));

        assert_eq!(server.database.prune_sessions(now).await.unwrap(), 0, "it is not over");
        assert_eq!(server.database.prune_audit(now.minus(years)).await.unwrap(), 0, "nothing is so old");
        assert!(server.database.prune_audit(now.plus(years)).await.unwrap() > 0);
        assert_eq!(server.database.prune_sessions(now.plus(years)).await.unwrap(), 1);

        assert_eq!(server.database.session(session.id).await.unwrap(), None);
        assert!(server.database.list_audit(&PageRequest::new(None, None)).await.unwrap().items.is_empty());
    })
    .await;
}
