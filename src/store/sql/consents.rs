//! Consents: one row for each user and client.

use sqlx::any::AnyRow;

use super::columns::Columns;
use super::db::{Work, query, shared_query};
use super::{Database, Dialect};
use crate::audit::AuditEntry;
use crate::clock::Timestamp;
use crate::model::{ClientId, Consent, Session, UserId};
use crate::protocol::Scope;
use crate::store::StoreError;
use crate::store::change::Change;

macro_rules! columns {
    () => {
        "user_id, client_id, scope, given_at"
    };
}

impl Database {
    pub async fn consent(&self, user: UserId, client: &ClientId) -> Result<Option<Consent>, StoreError> {
        let consent = query(concat!("select ", columns!(), "\nfrom consents\nwhere user_id = $1\nand client_id = $2"))
            .bind(user.to_string())
            .bind(client.as_str().to_owned());
        self.db.read_one(consent).await?.as_ref().map(read).transpose()
    }

    /// Returns all consents of the user, in the order of the clients' identifiers.
    pub async fn consents_of(&self, user: UserId) -> Result<Vec<Consent>, StoreError> {
        let consents = query(concat!("select ", columns!(), "\nfrom consents\nwhere user_id = $1\norder by client_id"))
            .bind(user.to_string());
        self.db.read(consents).await?.iter().map(read).collect()
    }

    /// Writes a consent, which replaces the previous one of this user and client.
    pub async fn give_consent(&self, consent: &Consent, entry: &AuditEntry) -> Result<(), StoreError> {
        let mut work = self.db.begin().await?;
        work.announce(Change::User(consent.user_id), entry.at).await?;
        let give = query(
            "insert into consents (user_id, client_id, scope, given_at)
             values ($1, $2, $3, $4)
             on conflict (user_id, client_id) do update
             set scope = excluded.scope, given_at = excluded.given_at",
        )
        .bind(consent.user_id.to_string())
        .bind(consent.client_id.as_str().to_owned())
        .bind(consent.scope.as_str().to_owned())
        .bind(consent.given_at.millis());
        work.write(give).await?;
        work.audit(entry).await?;
        work.commit().await
    }

    /// Removes a consent. Returns `false` if there was none.
    pub async fn withdraw_consent(
        &self,
        user: UserId,
        client: &ClientId,
        entry: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let mut work = self.db.begin().await?;
        work.announce(Change::User(user), entry.at).await?;
        let withdraw = query(
            "delete from consents
             where user_id = $1
             and client_id = $2",
        )
        .bind(user.to_string())
        .bind(client.as_str().to_owned());
        if work.write(withdraw).await? == 0 {
            work.rollback().await?;
            return Ok(false);
        }
        work.audit(entry).await?;
        work.commit().await?;
        Ok(true)
    }
}

impl Work {
    /// Whether the user has consented, since the client was registered, to the whole scope of the session. The row
    /// stays locked until the end of the transaction.
    pub(super) async fn has_agreed(
        &mut self,
        session: &Session,
        registered_at: Timestamp,
        dialect: Dialect,
    ) -> Result<bool, StoreError> {
        let agreed = shared_query!(
            dialect,
            "select scope
             from consents
             where user_id = $1
             and client_id = $2
             and given_at >= $3"
        )
        .bind(session.user_id.to_string())
        .bind(session.client_id.as_str().to_owned())
        .bind(registered_at.millis());
        let Some(row) = self.read_one(agreed).await? else { return Ok(false) };
        let agreed: Scope = Columns::of_only(&row, "consents").word("scope", |text| Scope::parse(text).ok())?;
        Ok(session.scope.is_within(&agreed))
    }
}

fn read(row: &AnyRow) -> Result<Consent, StoreError> {
    let columns = Columns::of(row, "consents", "client_id")?;
    Ok(Consent {
        user_id: columns.word("user_id", |id| id.parse().ok())?,
        client_id: columns.word("client_id", |id| id.parse().ok())?,
        scope: columns.word("scope", |text| Scope::parse(text).ok())?,
        given_at: columns.time("given_at")?,
    })
}
