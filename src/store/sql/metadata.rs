//! Facts about the whole deployment: the master key's check value, the salt of pairwise subjects and the global
//! `not_before`.

use super::Database;
use super::clients::ClientTokens;
use super::columns::Columns;
use super::db::query;
use super::revoked_indexes::ClientSelection;
use crate::clock::Timestamp;
use crate::store::StoreError;
use crate::store::change::Change;

impl Database {
    /// Returns the value that identifies the master key; `None` on an empty database.
    pub async fn master_key_check(&self) -> Result<Option<Vec<u8>>, StoreError> {
        let statement = query(
            "select bytes
             from metadata
             where key = 'master_key_check'",
        );
        let row = self.db.read_one(statement).await?;
        row.map(|row| Columns::of_only(&row, "metadata").bytes("bytes")).transpose()
    }

    /// Replaces exactly `old` by `new`. Returns `false` if another instance has changed it first.
    pub async fn set_master_key_check(&self, old: Option<&[u8]>, new: &[u8]) -> Result<bool, StoreError> {
        let statement = match old {
            None => query(
                "insert into metadata (key, bytes)
                 values ('master_key_check', $1)
                 on conflict (key) do nothing",
            )
            .bind(new.to_vec()),
            Some(old) => query(
                "update metadata
                 set bytes = $1
                 where key = 'master_key_check'
                 and bytes = $2",
            )
            .bind(new.to_vec())
            .bind(old.to_vec()),
        };
        Ok(self.db.write(statement).await? == 1)
    }

    /// Returns the salt of pairwise subject identifiers. `new` is stored if there is none yet; the salt never changes
    /// after that.
    pub async fn pairwise_salt(&self, new: [u8; 32]) -> Result<[u8; 32], StoreError> {
        let first = query(
            "insert into metadata (key, bytes)
             values ('pairwise_salt', $1)
             on conflict (key) do nothing",
        )
        .bind(new.to_vec());
        self.db.write(first).await?;
        let statement = query(
            "select bytes
             from metadata
             where key = 'pairwise_salt'",
        );
        let damaged = || StoreError::Corrupt("metadata pairwise_salt: the row is missing or damaged".to_owned());
        let row = self.db.read_one(statement).await?.ok_or_else(damaged)?;
        Columns::of_only(&row, "metadata").bytes("bytes")?.try_into().map_err(|_| damaged())
    }

    /// Returns the global `not_before`. Sessions and tokens that began before it are no longer valid.
    pub async fn global_not_before(&self) -> Result<Timestamp, StoreError> {
        let statement = query(
            "select number
             from metadata
             where key = 'global_not_before'",
        );
        let row = self.db.read_one(statement).await?;
        row.map_or(Ok(Timestamp::default()), |row| Columns::of_only(&row, "metadata").time("number"))
    }

    /// Raises the global `not_before` to `mark` (never lowers it), with a feed row. If `client_tokens` is `Revoked`,
    /// each active client gets another status index, because the tokens that it holds without a session at the time
    /// `at` are revoked.
    pub async fn raise_global_not_before(
        &self,
        mark: Timestamp,
        at: Timestamp,
        client_tokens: ClientTokens,
    ) -> Result<(), StoreError> {
        let mut work = self.db.begin().await?;
        work.announce(Change::GlobalNotBefore(mark), at).await?;
        let retires = client_tokens == ClientTokens::Revoked;
        if retires {
            // Clients come before the `not_before`: a sign-in locks them in this order.
            work.revoke_indexes(ClientSelection::All, at).await?;
        }
        let raise = query(
            "insert into metadata (key, number)
             values ('global_not_before', $1)
             on conflict (key) do update
             set number = excluded.number
             where metadata.number < excluded.number",
        )
        .bind(mark.millis());
        let rises = work.write(raise).await? > 0;
        if rises || retires {
            return work.commit().await;
        }
        work.rollback().await?;
        // Another instance has already raised it at least as far, and this one may not have read that in the feed yet.
        self.memory().apply(&Change::GlobalNotBefore(mark));
        Ok(())
    }
}
