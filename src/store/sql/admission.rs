//! Whether what has just been decided may begin, looked at once more under the rows' locks: a change that comes between
//! either sees it or stops it.

use super::Dialect;
use super::columns::{Columns, json};
use super::db::{Work, query, shared_query};
use crate::clock::Timestamp;
use crate::model::{Session, User};
use crate::protocol::Scope;
use crate::store::StoreError;

/// Whether a session or a browser session has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BeginOutcome {
    /// It is on record.
    Begun,
    /// The user, the client or the browser session is gone, disabled or over, a `not_before` is later, or the user or
    /// the client has other rights than when the sign-in read them: nothing was written.
    Refused,
}

/// What a sign-in was decided on, as it was read.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Who signed in.
    pub user: User,
    /// The audience that the client had registered.
    pub audience: Vec<String>,
}

impl Work {
    /// Whether the session may begin. The rows stay locked until the end: the user's by the update, the others for
    /// share.
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
            "select trusted, created_at, scope
             from clients
             where id = $1
             and state = 'active'
             and not_before <= $2
             and audience = $3"
        )
        .bind(session.client_id.as_str().to_owned())
        .bind(session.created_at.millis())
        .bind(json(&seen.audience));
        let Some(client) = self.read_one(client).await? else { return Ok(false) };
        let client = Columns::of_only(&client, "clients");
        if !session.scope.is_within(&client.word("scope", |text| Scope::parse(text).ok())?) {
            return Ok(false);
        }
        if let Some(browser_session) = session.browser_session_id {
            let agreed =
                client.flag("trusted")? || self.has_agreed(session, client.time("created_at")?, dialect).await?;
            if !agreed || !self.admits_browser_session(browser_session, session.created_at, dialect).await? {
                return Ok(false);
            }
        }
        self.admits_deployment(session.created_at, dialect).await
    }

    /// Notes a sign-in at `at`, if the user may sign in and is as the sign-in has `seen` them; says whether.
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

    /// Whether the `not_before` of the whole deployment lets begin what is dated `at`.
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
