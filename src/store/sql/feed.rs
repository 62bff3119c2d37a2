//! The change feed: the changes that all instances must learn of, numbered in the order of their commits.
//!
//! `update feed_head set seq = seq + 1 returning seq` locks the head's row until the commit. The order of the numbers
//! is therefore the order of the commits in both databases, which a bare sequence does not guarantee.

use std::ops::Range;

use sqlx::any::AnyRow;

use super::Database;
use super::columns::Columns;
use super::db::{Work, query};
use super::revoked_indexes;
use super::sessions::{read_ended, read_index};
use crate::clock::Timestamp;
use crate::model::{ClientStatusIndex, EndedSession, RevokedIndex, Session};
use crate::store::StoreError;
use crate::store::change::Change;

/// The number of rows pruned in one transaction, which holds the lock that every change waits for.
const PRUNED_AT_ONCE: i64 = 5_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedPage {
    /// The changes after the reader's position with their numbers, at most the limit, and the reader's new position.
    Changes(Vec<(i64, Change)>, i64),
    /// Rows after the reader's position have been pruned. The reader must drop every cache and continue from this
    /// position.
    Behind(i64),
}

impl Database {
    pub async fn feed_head(&self) -> Result<i64, StoreError> {
        let row = self.db.read_one(query("select seq from feed_head")).await?;
        head(row.as_ref(), "seq")
    }

    pub async fn feed_after(&self, after: i64, limit: u32) -> Result<FeedPage, StoreError> {
        // One statement, so that the head belongs to the same snapshot as the rows.
        let newer = query(
            "select head.seq as newest, head.pruned, feed.seq, feed.kind, feed.subject, feed.at, feed.ended_at,
               feed.ended_reason, sessions.client_id, sessions.status_index
             from feed_head as head
             left join (
                 select seq, kind, subject, at, ended_at, ended_reason
                 from feed
                 where seq > $1
                 order by seq
                 limit $2
             ) as feed on feed.seq > $1
             left join sessions on feed.kind = 'session' and sessions.id = feed.subject
             order by feed.seq",
        )
        .bind(after)
        .bind(i64::from(limit));
        let rows = self.db.read(newer).await?;
        let newest = head(rows.first(), "newest")?;
        // A reader ahead of the head has followed a database that was since replaced by an older copy.
        if after < head(rows.first(), "pruned")? || after > newest {
            return Ok(FeedPage::Behind(newest));
        }
        let mut changes = Vec::with_capacity(rows.len());
        let mut position = after;
        for row in &rows {
            let columns = Columns::of_only(row, "feed");
            if columns.text_if("kind")?.is_some() {
                position = columns.number("seq")?;
                changes.push((position, read_or_suspect(row)));
            }
        }
        Ok(FeedPage::Changes(changes, position))
    }

    pub async fn prune_feed(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut removed = 0;
        loop {
            let now = self.prune_some(before).await?;
            removed += now;
            if now == 0 {
                return Ok(removed);
            }
        }
    }

    /// Removes the oldest rows, up to the first that is not older than `before`. A gap would be mistaken for the end of
    /// the pruned rows.
    async fn prune_some(&self, before: Timestamp) -> Result<u64, StoreError> {
        let mut work = self.db.begin().await?;
        let raise = query(
            "update feed_head
             set pruned = coalesce(
                 (select min(seq) - 1 from feed where at >= $1 and seq <= feed_head.pruned + $2),
                 case when feed_head.pruned + $2 < seq then feed_head.pruned + $2 else seq end
             )
             returning pruned",
        )
        .bind(before.millis())
        .bind(PRUNED_AT_ONCE);
        let row = work.read_one(raise).await?;
        let pruned = head(row.as_ref(), "pruned")?;
        let removed = work.write(query("delete from feed where seq <= $1").bind(pruned)).await?;
        work.commit().await?;
        Ok(removed)
    }
}

impl Work {
    /// Writes the feed row of a change, and records the change for this instance's cache, which follows at the commit.
    /// (Ends of sessions use [`Work::announce_ended`], and status indexes [`Work::revoke_indexes`].)
    ///
    /// Call it first in a transaction. The head's row is the lock that orders transactions, and taking it before all
    /// other locks prevents deadlocks.
    pub(super) async fn announce(&mut self, change: Change, at: Timestamp) -> Result<(), StoreError> {
        let seq = self.next_number().await?;
        let (kind, subject) = words(&change);
        self.collect(change);
        let row = query(
            "insert into feed (seq, kind, subject, at)
             values ($1, $2, $3, $4)",
        )
        .bind(seq)
        .bind(kind)
        .bind(subject)
        .bind(at.millis());
        self.write(row).await.map(drop)
    }

    pub(super) async fn lock_feed(&mut self) -> Result<(), StoreError> {
        self.write(query("update feed_head set seq = seq")).await.map(drop)
    }

    pub(super) async fn next_number(&mut self) -> Result<i64, StoreError> {
        Ok(self.next_numbers(1).await?.start)
    }

    /// Takes the feed's lock until the commit, and returns the next `count` numbers.
    pub(super) async fn next_numbers(&mut self, count: u64) -> Result<Range<i64>, StoreError> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let row = self.read_one(query("update feed_head set seq = seq + $1 returning seq").bind(count)).await?;
        let last = head(row.as_ref(), "seq")?;
        Ok(last + 1 - count..last + 1)
    }

    /// Writes a feed row for each of the sessions that this transaction has ended under the number `first`.
    pub(super) async fn announce_ended(&mut self, first: i64, sessions: &[Session]) -> Result<(), StoreError> {
        for session in sessions {
            if let Some(ended) = session.ended {
                let index =
                    ClientStatusIndex { client_id: session.client_id.clone(), status_index: session.status_index };
                self.collect(Change::SessionEnded(EndedSession { id: session.id, ended, index: Some(index) }));
            }
        }
        self.next_numbers(sessions.len() as u64 - 1).await?;
        let rows = query(
            "insert into feed (seq, kind, subject, ended_at, ended_reason, at)
             select $1 - 1 + row_number() over (order by id), 'session', id, ended_at, ended_reason, ended_at
             from sessions
             where ended_feed = $1",
        )
        .bind(first);
        self.write(rows).await.map(drop)
    }
}

fn words(change: &Change) -> (&'static str, String) {
    match change {
        Change::User(user) => ("user", user.to_string()),
        Change::Client(client) => ("client", client.to_string()),
        Change::BrowserSession(browser_session) => ("browser_session", browser_session.to_string()),
        Change::Keys => ("keys", String::new()),
        Change::SessionEnded(session) => ("session", session.id.to_string()),
        Change::IndexRevoked(retired) => ("status_index", revoked_indexes::subject(&retired.index)),
        Change::GlobalNotBefore(mark) => ("global_not_before", mark.millis().to_string()),
        Change::Unknown => ("unknown", String::new()),
    }
}

/// Maps an unreadable row, of a newer version or damaged, to [`Change::Unknown`], so that it does not stop its reader.
fn read_or_suspect(row: &AnyRow) -> Change {
    read(row).unwrap_or_else(|error| {
        tracing::warn!(error = %error, "a row of the change feed cannot be read; anything may have changed");
        Change::Unknown
    })
}

fn read(row: &AnyRow) -> Result<Change, StoreError> {
    let columns = Columns::of_only(row, "feed");
    let subject = |read: fn(&str) -> Option<Change>| columns.word("subject", read);
    match columns.text("kind")? {
        "user" => subject(|id| id.parse().ok().map(Change::User)),
        "client" => subject(|id| id.parse().ok().map(Change::Client)),
        "browser_session" => subject(|id| id.parse().ok().map(Change::BrowserSession)),
        "keys" => Ok(Change::Keys),
        "session" => {
            let ended = read_ended(&columns)?.ok_or_else(|| columns.corrupt("ended_at"))?;
            let id = columns.word("subject", |id| id.parse().ok())?;
            Ok(Change::SessionEnded(EndedSession { id, ended, index: read_index(&columns)? }))
        }
        "status_index" => {
            let index = columns.word("subject", revoked_indexes::read_subject)?;
            Ok(Change::IndexRevoked(RevokedIndex { index, at: columns.time("at")? }))
        }
        "global_not_before" => {
            subject(|mark| mark.parse().ok().map(Timestamp::from_millis).map(Change::GlobalNotBefore))
        }
        _ => Err(columns.corrupt("kind")),
    }
}

fn head(row: Option<&AnyRow>, column: &'static str) -> Result<i64, StoreError> {
    match row {
        Some(row) => Columns::of_only(row, "feed_head").number(column),
        None => Err(StoreError::Corrupt("feed_head: the row is missing".to_owned())),
    }
}
