//! Signing keys, whose private parts are sealed.

use sqlx::any::AnyRow;

use super::Database;
use super::columns::Columns;
use super::db::{Query, query};
use crate::audit::AuditEntry;
use crate::clock::Timestamp;
use crate::model::{KeyState, SigningKeyRecord};
use crate::store::StoreError;
use crate::store::change::Change;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyChange {
    Insert(SigningKeyRecord),
    Update(SigningKeyRecord),
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyringChange {
    pub changes: Vec<KeyChange>,
    pub entries: Vec<AuditEntry>,
}

impl Database {
    /// Returns all keys, including removed ones, in the order of their publication.
    pub async fn signing_keys(&self) -> Result<Vec<SigningKeyRecord>, StoreError> {
        self.db.read(select()).await?.iter().map(read).collect()
    }

    /// Reads all keys under a lock that every instance respects (the feed head's row), lets `decide` choose the change,
    /// writes it with one feed row (none if nothing changes), and returns the resulting keys. Fails with
    /// [`StoreError::Conflict`] if an inserted `kid` exists or an algorithm would have two active keys.
    pub async fn change_keyring<D>(&self, decide: D) -> Result<Vec<SigningKeyRecord>, StoreError>
    where
        D: FnOnce(&[SigningKeyRecord]) -> KeyringChange + Send,
    {
        let mut work = self.db.begin().await?;
        work.lock_feed().await?;
        let keys: Vec<SigningKeyRecord> = work.read(select()).await?.iter().map(read).collect::<Result<_, _>>()?;
        let KeyringChange { changes, entries } = decide(&keys);
        if changes.is_empty() && entries.is_empty() {
            work.rollback().await?;
            return Ok(keys);
        }
        if !changes.is_empty() {
            work.announce(Change::Keys, moment(&changes, &entries)).await?;
        }
        // The active key is retired before its successor is activated, so that there is never more than one.
        let (up, down): (Vec<_>, Vec<_>) = changes.iter().partition(|change| record(change).state == KeyState::Active);
        for change in down.into_iter().chain(up) {
            if work.write_unique(write(change)).await? == 0 {
                return Err(StoreError::Corrupt(format!("signing_keys {}: the row is missing", record(change).kid)));
            }
        }
        for entry in &entries {
            work.audit(entry).await?;
        }
        let keys = work.read(select()).await?.iter().map(read).collect::<Result<_, _>>()?;
        work.commit().await?;
        Ok(keys)
    }
}

/// Returns the time of the change: that of its audit entries, or else the newest time in its rows.
fn moment(changes: &[KeyChange], entries: &[AuditEntry]) -> Timestamp {
    let in_rows = changes.iter().map(record).flat_map(|record| {
        [Some(record.published_at), record.activated_at, record.retired_at, record.removed_at].into_iter().flatten()
    });
    entries.first().map(|entry| entry.at).or(in_rows.max()).unwrap_or_default()
}

const fn record(change: &KeyChange) -> &SigningKeyRecord {
    match change {
        KeyChange::Insert(record) | KeyChange::Update(record) => record,
    }
}

fn write(change: &KeyChange) -> Query {
    let text = match change {
        KeyChange::Insert(_) => {
            "insert into signing_keys
               (kid, algorithm, state, sealed, public_jwk, published_at, activated_at, retired_at, removed_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        }
        KeyChange::Update(_) => {
            "update signing_keys
             set algorithm = $2, state = $3, sealed = $4, public_jwk = $5,
               published_at = $6, activated_at = $7, retired_at = $8, removed_at = $9
             where kid = $1"
        }
    };
    let record = record(change);
    query(text)
        .bind(record.kid.clone())
        .bind(record.algorithm.as_str())
        .bind(record.state.as_str())
        .bind(record.sealed.clone())
        .bind(record.public_jwk.clone())
        .bind(record.published_at.millis())
        .bind(record.activated_at.map(Timestamp::millis))
        .bind(record.retired_at.map(Timestamp::millis))
        .bind(record.removed_at.map(Timestamp::millis))
}

fn select() -> Query {
    query(
        "select kid, algorithm, state, sealed, public_jwk, published_at, activated_at, retired_at, removed_at
         from signing_keys
         order by published_at, kid",
    )
}

fn read(row: &AnyRow) -> Result<SigningKeyRecord, StoreError> {
    let columns = Columns::of(row, "signing_keys", "kid")?;
    Ok(SigningKeyRecord {
        kid: columns.text("kid")?.to_owned(),
        algorithm: columns.word("algorithm", |word| word.parse().ok())?,
        state: columns.word("state", state)?,
        sealed: columns.bytes("sealed")?,
        public_jwk: columns.text("public_jwk")?.to_owned(),
        published_at: columns.time("published_at")?,
        activated_at: columns.time_if("activated_at")?,
        retired_at: columns.time_if("retired_at")?,
        removed_at: columns.time_if("removed_at")?,
    })
}

fn state(word: &str) -> Option<KeyState> {
    [KeyState::Next, KeyState::Active, KeyState::Retired, KeyState::Removed]
        .into_iter()
        .find(|state| state.as_str() == word)
}
