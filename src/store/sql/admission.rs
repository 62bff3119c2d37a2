//! Checks, under locks of the rows, whether a sign-in that was just decided may begin. A concurrent change either sees
//! it or stops it.

use super::Dialect;
use super::columns::{Columns, json};
use super::db::{Work, query, shared_query};
use crate::clock::Timestamp;
use crate::model::{ClientMetadata, Session, User};
use crate::store::StoreError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BeginOutcome {
    Begun,
    /// Nothing was written. The user, the client or the browser session is gone, disabled or over, a `not_before` is
    /// later, or the user or the client has other rights than the sign-in read.
    Refused,
}

/// The facts on which a sign-in was decided, as they were read.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub user: User,
    pub audience: Vec<String>,
}

impl Work {
    /// Whether the session may begin. The rows stay locked until the end of the transaction: the user's by the update,
    /// the others for share.
    pub(super) async fn admits(
        &mut self,
        session: &Session,
        seen: &Snapshot,
        dialect: Dialect,
    ) -> Result<bool, StoreError> {
        if !self.admit_user(&seen.user, session.created_at).await? {
            return Ok(false);
        }
        let client = shared_query!(
            dialect,
            "select metadata, created_at
             from clients
             where id = $1
             and state = 'active'
             and not_before <= $2"
        )
        .bind(session.client_id.as_str().to_owned())
        .bind(session.created_at.millis());
        let Some(client) = self.read_one(client).await? else { return Ok(false) };
        let client = Columns::of_only(&client, "clients");
        let metadata: ClientMetadata = client.json("metadata")?;
        if metadata.audience != seen.audience || !session.scope.is_within(&metadata.scope) {
            return Ok(false);
        }
        if let Some(browser_session) = session.browser_session_id {
            let agreed = metadata.trusted || self.has_agreed(session, client.time("created_at")?, dialect).await?;
            if !agreed || !self.admits_browser_session(browser_session, session.created_at, dialect).await? {
                return Ok(false);
            }
        }
        self.admits_deployment(session.created_at, dialect).await
    }

    /// Writes the time of the sign-in, `at`, if the user may sign in and still is as `seen`. Returns whether it was
    /// written.
    pub(super) async fn admit_user(&mut self, seen: &User, at: Timestamp) -> Result<bool, StoreError> {
        let user = query(
            "update users
             set last_login_at = $2
             where id = $1
             and state = 'active'
             and not_before <= $2
             and not_before = $3
             and admin = $4
             and roles = $5
             and groups = $6",
        )
        .bind(seen.id.to_string())
        .bind(at.millis())
        .bind(seen.not_before.millis())
        .bind(i64::from(seen.admin))
        .bind(json(&seen.roles))
        .bind(json(&seen.groups));
        Ok(self.write(user).await? == 1)
    }

    /// Whether the global `not_before` allows a session that begins at `at`.
    pub(super) async fn admits_deployment(&mut self, at: Timestamp, dialect: Dialect) -> Result<bool, StoreError> {
        let held = shared_query!(
            dialect,
            "select key
             from metadata
             where key = 'global_not_before'
             and number <= $1"
        )
        .bind(at.millis());
        Ok(self.read_one(held).await?.is_some())
    }
}
