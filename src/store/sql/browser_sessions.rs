//! Browser sessions: one row for each browser in which a user is signed in.

use sqlx::any::AnyRow;

use super::admission::BeginOutcome;
use super::columns::{Columns, json};
use super::db::{Query, Work, query, shared_query};
use super::sessions::read_ended;
use super::{Database, Dialect};
use crate::audit::AuditEntry;
use crate::clock::Timestamp;
use crate::model::{Acr, BrowserSession, BrowserSessionId, CookieDigest, Ended, User, UserId};
use crate::store::StoreError;
use crate::store::change::Change;

const LISTED: i64 = 200;

macro_rules! columns {
    () => {
        "id, user_id, user_agent, created_at, last_used_at, ends_at, auth_time, amr, acr, ended_at, ended_reason"
    };
}

/// The exchange of a browser session's cookie.
#[derive(Debug, Clone, Copy)]
pub struct Exchange<'a> {
    pub previous: &'a CookieDigest,
    pub new: &'a CookieDigest,
}

impl Database {
    /// Writes the browser session under the digest of its cookie, if the user may still sign in. The user and the
    /// global `not_before` are checked as in [`Database::begin_session`].
    pub async fn begin_browser_session(
        &self,
        browser_session: &BrowserSession,
        cookie: &CookieDigest,
        seen: &User,
        entry: &AuditEntry,
    ) -> Result<BeginOutcome, StoreError> {
        let mut work = self.db.begin().await?;
        if !work.admit_user(seen, browser_session.created_at).await?
            || !work.admits_deployment(browser_session.created_at, self.dialect()).await?
        {
            work.rollback().await?;
            return Ok(BeginOutcome::Refused);
        }
        work.write_unique(insert(browser_session, cookie)).await?;
        work.audit(entry).await?;
        work.commit().await?;
        Ok(BeginOutcome::Begun)
    }

    /// Renews a live browser session whose user has authenticated again. It gets a new cookie, provided that it still
    /// has the previous one.
    pub async fn renew_browser_session(
        &self,
        browser_session: &BrowserSession,
        cookies: Exchange<'_>,
        seen: &User,
        entry: &AuditEntry,
    ) -> Result<BeginOutcome, StoreError> {
        let mut work = self.db.begin().await?;
        work.announce(Change::BrowserSession(browser_session.id), entry.at).await?;
        let renew = query(
            "update browser_sessions
             set cookie = $3, auth_time = $4, amr = $5, acr = $6, last_used_at = $7
             where id = $1
             and cookie = $2
             and ended_at is null",
        )
        .bind(browser_session.id.to_string())
        .bind(cookies.previous.as_str().to_owned())
        .bind(cookies.new.as_str().to_owned())
        .bind(browser_session.auth_time.millis())
        .bind(json(&browser_session.amr))
        .bind(browser_session.acr.as_str())
        .bind(browser_session.last_used_at.millis());
        if !work.admit_user(seen, browser_session.auth_time).await? || work.write(renew).await? == 0 {
            work.rollback().await?;
            return Ok(BeginOutcome::Refused);
        }
        work.audit(entry).await?;
        work.commit().await?;
        Ok(BeginOutcome::Begun)
    }

    /// Returns the browser session whose cookie has this digest, ended or not.
    pub async fn browser_session_by_cookie(&self, cookie: &CookieDigest) -> Result<Option<BrowserSession>, StoreError> {
        let browser_session = query(concat!("select ", columns!(), "\nfrom browser_sessions\nwhere cookie = $1"))
            .bind(cookie.as_str().to_owned());
        self.db.read_one(browser_session).await?.as_ref().map(read).transpose()
    }

    pub async fn browser_session(&self, id: BrowserSessionId) -> Result<Option<BrowserSession>, StoreError> {
        let browser_session =
            query(concat!("select ", columns!(), "\nfrom browser_sessions\nwhere id = $1")).bind(id.to_string());
        self.db.read_one(browser_session).await?.as_ref().map(read).transpose()
    }

    /// Returns the browser sessions of a user that are live at `now`, newest first. Those that began before the user's
    /// `not_before` are not live.
    pub async fn live_browser_sessions(&self, user: UserId, now: Timestamp) -> Result<Vec<BrowserSession>, StoreError> {
        let browser_sessions = query(concat!(
            "select ",
            columns!(),
            "\nfrom browser_sessions
             where user_id = $1
             and ended_at is null
             and ends_at > $2
             and created_at >= (select not_before from users where id = $1)
             order by id desc
             limit $3"
        ))
        .bind(user.to_string())
        .bind(now.millis())
        .bind(LISTED);
        self.db.read(browser_sessions).await?.iter().map(read).collect()
    }

    /// Ends a browser session, with its feed row and the back-channel logouts to clients whose sessions outlive it.
    /// Returns the number of these logouts. Returns `None`, and writes nothing, if it does not exist or had ended
    /// before.
    pub async fn end_browser_session(
        &self,
        id: BrowserSessionId,
        ended: Ended,
        entry: &AuditEntry,
    ) -> Result<Option<u64>, StoreError> {
        let mut work = self.db.begin().await?;
        work.announce(Change::BrowserSession(id), ended.at).await?;
        let end = query(
            "update browser_sessions
             set ended_at = $2, ended_reason = $3
             where id = $1
             and ended_at is null",
        )
        .bind(id.to_string())
        .bind(ended.at.millis())
        .bind(ended.reason.as_str());
        if work.write(end).await? == 0 {
            work.rollback().await?;
            return Ok(None);
        }
        let backchannel_logouts = work.queue_backchannel_of_offline(id, ended).await?;
        work.audit(entry).await?;
        work.commit().await?;
        Ok(Some(backchannel_logouts))
    }

    /// Writes when browser sessions were last used (never back in time).
    pub async fn record_browser_session_use(&self, used: &[(BrowserSessionId, Timestamp)]) -> Result<(), StoreError> {
        let touch = "update browser_sessions
             set last_used_at = $2
             where id = $1
             and last_used_at < $2";
        self.record_use(touch, used).await
    }
}

impl Work {
    /// Whether a session may begin under this browser session. Its row stays locked until the end of the transaction.
    pub(super) async fn admits_browser_session(
        &mut self,
        id: BrowserSessionId,
        at: Timestamp,
        dialect: Dialect,
    ) -> Result<bool, StoreError> {
        let live = shared_query!(
            dialect,
            "select id
             from browser_sessions
             where id = $1
             and ended_at is null
             and ends_at > $2"
        )
        .bind(id.to_string())
        .bind(at.millis());
        Ok(self.read_one(live).await?.is_some())
    }
}

fn insert(browser_session: &BrowserSession, cookie: &CookieDigest) -> Query {
    let text = concat!(
        "insert into browser_sessions\n  (",
        columns!(),
        ", cookie)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
    );
    query(text)
        .bind(browser_session.id.to_string())
        .bind(browser_session.user_id.to_string())
        .bind(json(&browser_session.user_agent))
        .bind(browser_session.created_at.millis())
        .bind(browser_session.last_used_at.millis())
        .bind(browser_session.ends_at.millis())
        .bind(browser_session.auth_time.millis())
        .bind(json(&browser_session.amr))
        .bind(browser_session.acr.as_str())
        .bind(browser_session.ended.map(|ended| ended.at.millis()))
        .bind(browser_session.ended.map(|ended| ended.reason.as_str()))
        .bind(cookie.as_str().to_owned())
}

fn read(row: &AnyRow) -> Result<BrowserSession, StoreError> {
    let columns = Columns::of(row, "browser_sessions", "id")?;
    Ok(BrowserSession {
        id: columns.word("id", |id| id.parse().ok())?,
        user_id: columns.word("user_id", |id| id.parse().ok())?,
        user_agent: columns.json("user_agent")?,
        created_at: columns.time("created_at")?,
        last_used_at: columns.time("last_used_at")?,
        ends_at: columns.time("ends_at")?,
        auth_time: columns.time("auth_time")?,
        amr: columns.json("amr")?,
        acr: columns.word("acr", |name| Some(Acr::recorded(name)))?,
        ended: read_ended(&columns)?,
    })
}
