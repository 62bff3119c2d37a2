//! What the status lists need of the ledger: places, leased in blocks and never given out twice, and how long access tokens
//! live where their client has no life of its own for them.

use std::ops::Range;
use std::time::Duration;

use sqlx::any::AnyRow;

use super::Ledger;
use super::columns::{Columns, millis};
use super::db::{Query, Work, query};
use crate::clock::Timestamp;
use crate::store::StoreError;

/// How long a former life of access tokens is remembered: twice the longest, for while one instance after the other is
/// started with the new one, the others go on with the old.
const REMEMBERED: Duration = Duration::from_hours(48);

/// What all instances have to know of the status lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StatusFacts {
    /// How many places have been leased.
    pub leased: i64,
    /// The longest life that the house gave to access tokens lately.
    pub longest_access_lifetime: Duration,
}

impl Ledger {
    /// Leases the next `count` places.
    pub async fn lease_status_indexes(&self, count: u32) -> Result<Range<i64>, StoreError> {
        let mut work = self.db.begin().await?;
        let places = work.lease_places(u64::from(count)).await?;
        work.commit().await?;
        Ok(places)
    }

    /// How many places have been leased, and how long access tokens lived lately.
    pub async fn status_facts(&self, now: Timestamp) -> Result<StatusFacts, StoreError> {
        let facts = Facts::read(&self.db.read(facts()).await?)?;
        let longest = facts.lifetime.max(facts.remembered(now));
        let longest_access_lifetime = Duration::from_millis(longest.unsigned_abs());
        Ok(StatusFacts { leased: facts.leased.ok_or_else(missing)?, longest_access_lifetime })
    }

    /// Notes how long access tokens live from now on. The former life is remembered, for tokens that have it are still
    /// alive.
    pub async fn note_access_lifetime(&self, lifetime: Duration, now: Timestamp) -> Result<(), StoreError> {
        let mut work = self.db.begin().await?;
        work.lock_feed().await?;
        let facts = Facts::read(&work.read(self::facts()).await?)?;
        let lifetime = millis(lifetime);
        if facts.lifetime == lifetime {
            return work.rollback().await;
        }
        work.note("former_access_lifetime", facts.lifetime.max(facts.remembered(now))).await?;
        work.note("access_lifetime", lifetime).await?;
        work.note("access_lifetime_changed_at", now.millis()).await?;
        work.commit().await
    }
}

impl Work {
    /// Takes the next `count` places.
    pub(super) async fn lease_places(&mut self, count: u64) -> Result<Range<i64>, StoreError> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let lease = query(
            "update house
             set number = number + $1
             where fact = 'next_status_index'
             returning number",
        )
        .bind(count);
        let row = self.read_one(lease).await?;
        let end = row.as_ref().map(|row| Columns::of_only(row, "house").number("number")).transpose()?;
        let end = end.ok_or_else(missing)?;
        Ok(end - count..end)
    }

    async fn note(&mut self, fact: &'static str, number: i64) -> Result<(), StoreError> {
        let note = query(
            "insert into house (fact, number)
             values ($1, $2)
             on conflict (fact) do update
             set number = excluded.number",
        )
        .bind(fact)
        .bind(number);
        self.write(note).await.map(drop)
    }
}

/// The rows of [`facts`]; a life that was never noted is none.
#[derive(Default)]
struct Facts {
    leased: Option<i64>,
    lifetime: i64,
    former: i64,
    changed_at: Timestamp,
}

fn facts() -> Query {
    query(
        "select fact, number
         from house
         where fact in ('next_status_index', 'access_lifetime', 'former_access_lifetime', 'access_lifetime_changed_at')",
    )
}

impl Facts {
    fn read(rows: &[AnyRow]) -> Result<Self, StoreError> {
        let mut facts = Self::default();
        for row in rows {
            let columns = Columns::of(row, "house", "fact")?;
            let number = columns.number("number")?;
            match columns.text("fact")? {
                "next_status_index" => facts.leased = Some(number),
                "access_lifetime" => facts.lifetime = number,
                "former_access_lifetime" => facts.former = number,
                _ => facts.changed_at = Timestamp::from_millis(number),
            }
        }
        Ok(facts)
    }

    /// The former life, as long as it is remembered.
    fn remembered(&self, now: Timestamp) -> i64 {
        if now.since(self.changed_at) <= REMEMBERED { self.former } else { 0 }
    }
}

fn missing() -> StoreError {
    StoreError::Corrupt("house next_status_index: the row is missing".to_owned())
}
