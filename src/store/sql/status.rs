//! The status lists' data in the database: the existing lists, their status indexes, leased in blocks and never
//! assigned twice, and the access token lifetime of clients that set none of their own.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use sqlx::any::AnyRow;

use super::Database;
use super::columns::{Columns, millis};
use super::db::{Query, Work, query};
use crate::clock::Timestamp;
use crate::model::StatusIndex;
use crate::store::StoreError;

/// How long a previous access token lifetime is remembered: twice the longest one. While instances restart one by one
/// with a new lifetime, the others still use the old one.
const REMEMBERED: Duration = Duration::from_hours(48);

/// How long the status indexes of a lease may be assigned. The limit prevents an idle instance from keeping an old list
/// alive.
pub const LEASE_LIFETIME: Duration = Duration::from_hours(24);

/// The longest time between the assignment of a status index and its write to the database.
const SLACK: Duration = Duration::from_hours(1);

/// Drops the lists that were closed before `$1` and that have no index in use at `$2`.
///
/// 131072 is [`LIST_LENGTH`](crate::model::LIST_LENGTH). In milliseconds, 120000 is
/// [`TOLD_AFTER_EXPIRY`](crate::model::TOLD_AFTER_EXPIRY), counted from the absolute end of a session, and 86520000 is
/// [`MAX_ACCESS_LIFETIME`](crate::model::client::MAX_ACCESS_LIFETIME) + 120000, counted from the time at which it was
/// ended. The numbers are literals because the index `sessions_by_list` (migration 0001) has the same expressions and
/// is used for these only. A changed number needs a migration with a new index.
///
/// An expression has no type affinity in SQLite: the `+` removes it from the list's number too, or the index is not
/// used.
const DROP: &str = "delete from status_lists
     where closed_at < $1
     and not exists (
         select 1
         from sessions
         where sessions.status_index / 131072 = +status_lists.number
         and coalesce(sessions.ended_at + 86520000, sessions.ends_at + 120000) > $2
     )
     and not exists (select 1 from clients where clients.status_index / 131072 = status_lists.number)
     and not exists (select 1 from revoked_indexes where revoked_indexes.status_index / 131072 = status_lists.number)";

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatusFacts {
    pub lists: BTreeSet<u64>,
    /// The longest access token lifetime that the server has recently used.
    pub longest_access_lifetime: Duration,
}

impl Database {
    pub async fn lease_status_indexes(&self, count: u32) -> Result<Range<i64>, StoreError> {
        let mut work = self.db.begin().await?;
        let indexes = work.lease_indexes(u64::from(count)).await?;
        work.commit().await?;
        Ok(indexes)
    }

    pub async fn status_facts(&self, now: Timestamp) -> Result<StatusFacts, StoreError> {
        let facts = Facts::read(&self.db.read(facts()).await?)?;
        let longest = facts.lifetime.max(facts.remembered(now));
        let longest_access_lifetime = Duration::from_millis(longest.unsigned_abs());
        Ok(StatusFacts { lists: facts.lists, longest_access_lifetime })
    }

    /// Drops lists that have been closed for a while and whose status indexes are no client's, need not be published
    /// and can no longer be assigned. Returns how many were dropped.
    pub async fn drop_status_lists(&self, now: Timestamp) -> Result<u64, StoreError> {
        let close = query(
            "update status_lists
             set closed_at = $1
             where closed_at is null
             and number < (select max(number) from status_lists)",
        )
        .bind(now.millis());
        self.db.write(close).await?;
        let drop = query(DROP).bind(now.minus(LEASE_LIFETIME + SLACK).millis()).bind(now.millis());
        self.db.write(drop).await
    }

    /// Records the current access token lifetime. The previous one is remembered, since tokens with it are still valid.
    pub async fn note_access_lifetime(&self, lifetime: Duration, now: Timestamp) -> Result<(), StoreError> {
        let mut work = self.db.begin().await?;
        work.lock_feed().await?;
        let facts = Facts::read(&work.read(self::facts()).await?)?;
        let lifetime = millis(lifetime);
        if facts.lifetime == lifetime {
            return work.rollback().await;
        }
        work.note("previous_access_lifetime", facts.lifetime.max(facts.remembered(now))).await?;
        work.note("access_lifetime", lifetime).await?;
        work.note("access_lifetime_changed_at", now.millis()).await?;
        work.commit().await
    }
}

impl Work {
    pub(super) async fn lease_indexes(&mut self, count: u64) -> Result<Range<i64>, StoreError> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let lease = query(
            "update metadata
             set number = number + $1
             where key = 'next_status_index'
             returning number",
        )
        .bind(count);
        let Some(row) = self.read_one(lease).await? else { return Err(missing()) };
        let end = Columns::of_only(&row, "metadata").number("number")?;
        let indexes = end - count..end;
        for list in StatusIndex::of(indexes.start).list..StatusIndex::lists_begun(indexes.end) {
            let begin = query("insert into status_lists (number) values ($1) on conflict (number) do nothing");
            self.write(begin.bind(list.cast_signed())).await?;
        }
        Ok(indexes)
    }

    async fn note(&mut self, key: &'static str, number: i64) -> Result<(), StoreError> {
        let note = query(
            "insert into metadata (key, number)
             values ($1, $2)
             on conflict (key) do update
             set number = excluded.number",
        )
        .bind(key)
        .bind(number);
        self.write(note).await.map(drop)
    }
}

/// The rows of [`facts`]; a lifetime that was never recorded is zero.
#[derive(Default)]
struct Facts {
    lists: BTreeSet<u64>,
    lifetime: i64,
    previous: i64,
    changed_at: Timestamp,
}

fn facts() -> Query {
    query(
        "select key, number
         from metadata
         where key in ('access_lifetime', 'previous_access_lifetime', 'access_lifetime_changed_at')
         union all
         select 'status_list', number
         from status_lists",
    )
}

impl Facts {
    fn read(rows: &[AnyRow]) -> Result<Self, StoreError> {
        let mut facts = Self::default();
        for row in rows {
            let columns = Columns::of(row, "metadata", "key")?;
            let number = columns.number("number")?;
            match columns.text("key")? {
                "access_lifetime" => facts.lifetime = number,
                "previous_access_lifetime" => facts.previous = number,
                "access_lifetime_changed_at" => facts.changed_at = Timestamp::from_millis(number),
                _ => drop(facts.lists.insert(number.unsigned_abs())),
            }
        }
        Ok(facts)
    }

    fn remembered(&self, now: Timestamp) -> i64 {
        if now.since(self.changed_at) <= REMEMBERED { self.previous } else { 0 }
    }
}

fn missing() -> StoreError {
    StoreError::Corrupt("metadata next_status_index: the row is missing".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::client::MAX_ACCESS_LIFETIME;
    use crate::model::{LIST_LENGTH, TOLD_AFTER_EXPIRY};

    fn list_of(index: &str) -> String {
        format!("{index} / {LIST_LENGTH}")
    }

    fn told_until(session: &str) -> String {
        let after_its_end = TOLD_AFTER_EXPIRY.as_millis();
        let after_being_ended = (MAX_ACCESS_LIFETIME + TOLD_AFTER_EXPIRY).as_millis();
        format!("coalesce({session}ended_at + {after_being_ended}, {session}ends_at + {after_its_end})")
    }

    #[test]
    fn lists_are_dropped_by_the_numbers_that_the_model_names() {
        for index in ["sessions.status_index", "clients.status_index", "revoked_indexes.status_index"] {
            assert!(DROP.contains(&format!("where {} = ", list_of(index))), "{index}");
        }
        assert!(DROP.contains(&format!("and {} > $2", told_until("sessions."))));
    }

    #[test]
    fn the_index_of_sessions_is_of_the_expressions_by_which_lists_are_dropped() {
        let (list, until) = (list_of("status_index"), told_until(""));
        let postgres = include_str!("../../../migrations/postgres/0001_schema.sql");
        assert!(postgres.contains(&format!("create index sessions_by_list on sessions (({list}), ({until}));")));
        let sqlite = include_str!("../../../migrations/sqlite/0001_schema.sql");
        assert!(sqlite.contains(&format!("create index sessions_by_list on sessions ({list}, {until});")));
    }
}
