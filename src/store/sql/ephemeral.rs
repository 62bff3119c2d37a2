//! The embedded ephemeral store: SQL tables and compare-and-set, for deployments without Redis.
//!
//! Every statement is one atomic step on one row, so any number of instances may share the tables. An expired row
//! counts as absent; `prune` removes it later.

use std::time::Duration;

use async_trait::async_trait;

use super::columns::{Columns, millis};
use super::db::{Db, Query, query};
use super::{Database, Dialect};
use crate::clock::{Clock, Timestamp};
use crate::model::rotation::TOMBSTONE;
use crate::model::{Generation, RotationRecord, RotationState, SessionId};
use crate::store::StoreError;
use crate::store::ephemeral::{Advance, CounterState, EphemeralStore, KEPT_AFTER_EXPIRY, TakeOutcome};

/// The number of attempts of a refresh whose record is changed concurrently.
const TRIES: u32 = 16;

const ENDED_AT_ONCE: usize = 200;

const PRUNED_AT_ONCE: i64 = 1_000;

/// The current time in SQL: `$1` if this process supplies the time, or else the database's own time.
macro_rules! now {
    () => {
        "coalesce(cast($1 as bigint), (select now from present))"
    };
}

#[derive(Clone)]
pub struct SqlEphemeral {
    /// Commits reach the disk a little later (see `connect.rs`).
    quick: Db,
    /// Commits are on disk before they are acknowledged.
    durable: Db,
    /// The time source for SQLite. PostgreSQL uses its own time, since instances with differing clocks share it.
    clock: Option<Clock>,
}

impl SqlEphemeral {
    #[must_use]
    pub fn new(database: &Database, clock: Clock) -> Self {
        let clock = match database.dialect() {
            Dialect::Postgres => None,
            Dialect::Sqlite => Some(clock),
        };
        Self { quick: database.quick.clone(), durable: database.db.clone(), clock }
    }

    fn timed(&self, text: &'static str) -> Query {
        query(text).bind(self.clock.as_ref().map(|clock| clock.now().millis()))
    }

    async fn find(&self, session: SessionId) -> Result<(StoredValue, Timestamp), StoreError> {
        let row = self
            .timed(concat!(
                "select present.now, ephemeral.record, ephemeral.expires_at, database.ended_at
                 from (select ",
                now!(),
                " as now) as present
                 left join rotation_records as ephemeral on ephemeral.session_id = $2
                 left join sessions as database on database.id = $2"
            ))
            .bind(session.to_string());
        let row = self.quick.read_one(row).await?;
        let row = row.ok_or_else(|| StoreError::Corrupt("rotation_records: the database has no time".to_owned()))?;
        let columns = Columns::of_only(&row, "rotation_records");
        let now = columns.time("now")?;
        let expires_at = columns.time_if("expires_at")?;
        let Some(text) = columns.text_if("record")?.filter(|_| expires_at > Some(now)) else {
            return Ok((StoredValue::Absent, now));
        };
        // Sessions and records share one database: an end takes effect as soon as the session's row says so.
        if text == TOMBSTONE || columns.time_if("ended_at")?.is_some() {
            return Ok((StoredValue::Ended, now));
        }
        match RotationRecord::decode(text) {
            Some(record) => Ok((StoredValue::Live(Box::new(record), text.to_owned()), now)),
            None => Err(StoreError::Corrupt(format!("rotation_records {session}: the column record cannot be read"))),
        }
    }

    async fn swap(&self, session: SessionId, old: String, new: &RotationRecord) -> Result<bool, StoreError> {
        let swap = self
            .timed(concat!(
                "update rotation_records
                 set record = $4, expires_at = $5
                 where session_id = $2
                 and record = $3
                 and expires_at > ",
                now!()
            ))
            .bind(session.to_string())
            .bind(old)
            .bind(new.encode())
            .bind(expiry(new));
        Ok(self.quick.write(swap).await? == 1)
    }
}

enum StoredValue {
    /// A record, and the text that it was read from.
    Live(Box<RotationRecord>, String),
    Ended,
    Absent,
}

impl From<StoredValue> for RotationState {
    fn from(found: StoredValue) -> Self {
        match found {
            StoredValue::Live(record, _) => Self::Live(record),
            StoredValue::Ended => Self::Ended,
            StoredValue::Absent => Self::Absent,
        }
    }
}

#[async_trait]
impl EphemeralStore for SqlEphemeral {
    async fn advance(&self, session: SessionId, presented: Generation) -> Result<Advance, StoreError> {
        let mut tries = 1;
        loop {
            let (found, now) = self.find(session).await?;
            let (record, text) = match found {
                StoredValue::Live(record, text)
                    if record.current == presented && now < record.ends_at && tries <= TRIES =>
                {
                    (record, text)
                }
                found => return Ok(Advance { session: found.into(), advanced: false, now }),
            };
            let next = record.advanced(now);
            if self.swap(session, text, &next).await? {
                return Ok(Advance { session: RotationState::Live(Box::new(next)), advanced: true, now });
            }
            tries += 1;
        }
    }

    async fn load(&self, session: SessionId) -> Result<(RotationState, Timestamp), StoreError> {
        let (found, now) = self.find(session).await?;
        Ok((found.into(), now))
    }

    async fn insert(&self, session: SessionId, record: &RotationRecord) -> Result<bool, StoreError> {
        let insert = self
            .timed(concat!(
                "insert into rotation_records (session_id, record, expires_at)
                 values ($2, $3, $4)
                 on conflict (session_id) do update
                 set record = excluded.record, expires_at = excluded.expires_at
                 where rotation_records.expires_at <= ",
                now!()
            ))
            .bind(session.to_string())
            .bind(record.encode())
            .bind(expiry(record));
        Ok(self.quick.write(insert).await? == 1)
    }

    async fn replace(
        &self,
        session: SessionId,
        old: &RotationRecord,
        new: &RotationRecord,
    ) -> Result<bool, StoreError> {
        self.swap(session, old.encode(), new).await
    }

    async fn end(&self, sessions: &[SessionId], keep: Duration) -> Result<(), StoreError> {
        // A fixed order, so that two callers that end the same sessions cannot deadlock.
        let mut sessions = sessions.to_vec();
        sessions.sort_unstable();
        sessions.dedup();
        for some in sessions.chunks(ENDED_AT_ONCE) {
            let mut work = self.durable.begin().await?;
            for session in some {
                let tombstone = self
                    .timed(concat!(
                        "insert into rotation_records (session_id, record, expires_at)
                         values ($2, $3, ",
                        now!(),
                        " + $4)
                         on conflict (session_id) do update
                         set record = excluded.record,
                           expires_at = case
                             when rotation_records.record = excluded.record and rotation_records.expires_at > excluded.expires_at
                               then rotation_records.expires_at
                             else excluded.expires_at
                           end"
                    ))
                    .bind(session.to_string())
                    .bind(TOMBSTONE)
                    .bind(millis(keep));
                work.write(tombstone).await?;
            }
            work.commit().await?;
        }
        Ok(())
    }

    async fn put_once(&self, key: &str, value: &str, keep: Duration) -> Result<bool, StoreError> {
        let put = self
            .timed(concat!(
                "insert into one_time_values (key, value, taken, expires_at)
                 values ($2, $3, 0, ",
                now!(),
                " + $4)
                 on conflict (key) do update
                 set value = excluded.value, taken = 0, expires_at = excluded.expires_at
                 where one_time_values.expires_at <= ",
                now!()
            ))
            .bind(key.to_owned())
            .bind(value.to_owned())
            .bind(millis(keep));
        Ok(self.quick.write(put).await? == 1)
    }

    async fn peek(&self, key: &str) -> Result<Option<String>, StoreError> {
        let look = self
            .timed(concat!(
                "select value
                 from one_time_values
                 where key = $2
                 and expires_at > ",
                now!()
            ))
            .bind(key.to_owned());
        let Some(row) = self.quick.read_one(look).await? else { return Ok(None) };
        Ok(Some(Columns::of_only(&row, "one_time_values").text("value")?.to_owned()))
    }

    async fn update_once(&self, key: &str, old: &str, new: &str) -> Result<bool, StoreError> {
        let update = self
            .timed(concat!(
                "update one_time_values
                 set value = $4
                 where key = $2
                 and value = $3
                 and taken = 0
                 and expires_at > ",
                now!()
            ))
            .bind(key.to_owned())
            .bind(old.to_owned())
            .bind(new.to_owned());
        Ok(self.quick.write(update).await? == 1)
    }

    async fn take_once(&self, key: &str) -> Result<TakeOutcome, StoreError> {
        let take = self
            .timed(concat!(
                "update one_time_values
                 set taken = taken + 1
                 where key = $2
                 and expires_at > ",
                now!(),
                "\nreturning value, taken"
            ))
            .bind(key.to_owned());
        // Durable: a power failure must not allow an interaction to be completed twice.
        let Some(row) = self.durable.write_one(take).await? else { return Ok(TakeOutcome::Absent) };
        let columns = Columns::of_only(&row, "one_time_values");
        let value = columns.text("value")?.to_owned();
        Ok(if columns.number("taken")? == 1 { TakeOutcome::First(value) } else { TakeOutcome::Again(value) })
    }

    async fn remember(&self, key: &str, keep: Duration) -> Result<bool, StoreError> {
        let remember = self
            .timed(concat!(
                "insert into remembered_keys (key, expires_at)
                 values ($2, ",
                now!(),
                " + $3)
                 on conflict (key) do update
                 set expires_at = excluded.expires_at
                 where remembered_keys.expires_at <= ",
                now!()
            ))
            .bind(key.to_owned())
            .bind(millis(keep));
        Ok(self.quick.write(remember).await? == 1)
    }

    async fn remembers(&self, key: &str) -> Result<bool, StoreError> {
        let known = self
            .timed(concat!(
                "select key
                 from remembered_keys
                 where key = $2
                 and expires_at > ",
                now!()
            ))
            .bind(key.to_owned());
        Ok(self.quick.read_one(known).await?.is_some())
    }

    async fn count(&self, key: &str, window: Duration) -> Result<CounterState, StoreError> {
        // The time is read once, into `excluded.resets_at`. Two reads could fall on both sides of the end of the
        // window.
        let count = self
            .timed(concat!(
                "insert into counters (key, count, resets_at)
                 values ($2, 1, ",
                now!(),
                " + $3)
                 on conflict (key) do update
                 set count = case
                     when counters.resets_at <= excluded.resets_at - $3 then 1
                     else counters.count + 1
                   end,
                   resets_at = case
                     when counters.resets_at <= excluded.resets_at - $3 then excluded.resets_at
                     else counters.resets_at
                   end
                 returning count, resets_at - ",
                now!(),
                " as resets_in"
            ))
            .bind(key.to_owned())
            .bind(millis(window));
        let row = self.quick.write_one(count).await?;
        let row = row.ok_or_else(|| StoreError::Corrupt("counters: nothing was counted".to_owned()))?;
        let columns = Columns::of_only(&row, "counters");
        Ok(CounterState {
            count: u64::try_from(columns.number("count")?).unwrap_or(0),
            resets_in: Duration::from_millis(u64::try_from(columns.number("resets_in")?).unwrap_or(0)),
        })
    }

    async fn forget(&self, key: &str) -> Result<(), StoreError> {
        self.quick.write(query("delete from counters where key = $1").bind(key.to_owned())).await?;
        self.quick.write(query("delete from remembered_keys where key = $1").bind(key.to_owned())).await?;
        Ok(())
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.quick.read(query("select 1")).await.map(drop)
    }

    async fn warnings(&self) -> Vec<String> {
        Vec::new()
    }

    async fn prune(&self) -> Result<(), StoreError> {
        // The outer condition repeats the check of the expiry: on PostgreSQL a row may have been rewritten meanwhile.
        macro_rules! prune {
            ($table:literal, $key:literal, $until:literal) => {
                concat!(
                    "delete from ",
                    $table,
                    "\nwhere ",
                    $key,
                    " in (\nselect ",
                    $key,
                    "\nfrom ",
                    $table,
                    "\nwhere ",
                    $until,
                    " <= ",
                    now!(),
                    "\nlimit $2\n)\nand ",
                    $until,
                    " <= ",
                    now!()
                )
            };
        }
        for text in [
            prune!("rotation_records", "session_id", "expires_at"),
            prune!("one_time_values", "key", "expires_at"),
            prune!("remembered_keys", "key", "expires_at"),
            prune!("counters", "key", "resets_at"),
        ] {
            while self.quick.write(self.timed(text).bind(PRUNED_AT_ONCE)).await? > 0 {}
        }
        Ok(())
    }

    /// Returns `false`: the tables are part of the database and lose nothing on their own.
    async fn needs_replay(&self) -> Result<bool, StoreError> {
        Ok(false)
    }

    async fn replayed(&self) {}
}

fn expiry(record: &RotationRecord) -> i64 {
    record.expires_at.plus(KEPT_AFTER_EXPIRY).millis()
}
