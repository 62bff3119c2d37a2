//! The change feed: what instances must learn of, numbered in the order of the commits.
//!
//! `update feed_head set seq = seq + 1 returning seq` holds the head's row until the commit, so that the order of the
//! numbers is the order of the commits in both databases; a bare sequence would not do that.

use super::Ledger;
use crate::clock::Timestamp;
use crate::model::{ClientId, Ended, SessionId, UserId};
use crate::store::StoreError;

/// Something that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A user was added, changed or removed.
    User(UserId),
    /// A client was added, changed or removed.
    Client(ClientId),
    /// The keyring changed.
    Keys,
    /// A session ended.
    SessionEnded(SessionId, Ended),
    /// The global watermark rose.
    Watermark,
}

/// What a reader of the feed gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedPage {
    /// The changes after the reader's place, at most the limit, and the reader's new place.
    Changes(Vec<Change>, i64),
    /// Rows after the reader's place have been pruned: drop every cache and go on from here.
    Behind(i64),
}

impl Ledger {
    /// The number of the newest change.
    pub async fn feed_head(&self) -> Result<i64, StoreError> {
        todo!()
    }

    /// The changes after number `after`.
    pub async fn feed_after(&self, after: i64, limit: u32) -> Result<FeedPage, StoreError> {
        let _ = (after, limit);
        todo!()
    }

    /// Removes feed rows older than `before`.
    pub async fn prune_feed(&self, before: Timestamp) -> Result<u64, StoreError> {
        let _ = before;
        todo!()
    }
}
