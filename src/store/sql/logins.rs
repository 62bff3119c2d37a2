//! Logins: one row for each browser that is signed in.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sqlx::any::AnyRow;

use super::admission::Begun;
use super::columns::{Columns, json};
use super::db::{Query, Work, query, shared_query};
use super::feed::Change;
use super::sessions::read_ended;
use super::{Database, Dialect};
use crate::audit::AuditEntry;
use crate::clock::Timestamp;
use crate::model::{Ended, Login, LoginId, User, UserId};
use crate::store::StoreError;

/// The most logins of one user that are listed.
const LISTED: i64 = 200;

macro_rules! columns {
    () => {
        "id, user_id, device, created_at, last_used_at, ends_at, auth_time, amr, ended_at, ended_reason"
    };
}

/// The digest of a login's cookie, in base64url.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CookieDigest(String);

impl CookieDigest {
    /// Of this SHA-256.
    #[must_use]
    pub fn of(digest: [u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(digest))
    }
}

/// A login's cookie is exchanged for another.
#[derive(Debug, Clone, Copy)]
pub struct Exchange<'a> {
    /// The one that the browser has.
    pub former: &'a CookieDigest,
    /// The one that it gets.
    pub new: &'a CookieDigest,
}

impl Database {
    /// Writes the login under the digest of its cookie, provided that the user may still sign in: as
    /// [`Database::begin_session`] does.
    pub async fn begin_login(
        &self,
        login: &Login,
        cookie: &CookieDigest,
        seen: &User,
        entry: &AuditEntry,
    ) -> Result<Begun, StoreError> {
        let mut work = self.db.begin().await?;
        if !work.admit_user(seen, login.created_at).await?
            || !work.admits_house(login.created_at, self.dialect()).await?
        {
            work.rollback().await?;
            return Ok(Begun::Refused);
        }
        work.write_unique(insert(login, cookie), "the login").await?;
        work.audit(entry).await?;
        work.commit().await?;
        Ok(Begun::Yes)
    }

    /// The user of a live login has proved again who they are, at `at`: it gets a new cookie instead of exactly
    /// the former one.
    pub async fn renew_login(
        &self,
        login: &Login,
        cookies: Exchange<'_>,
        seen: &User,
        entry: &AuditEntry,
    ) -> Result<Begun, StoreError> {
        let mut work = self.db.begin().await?;
        work.announce(&Change::Login(login.id), entry.at).await?;
        let renew = query(
            "update logins
             set cookie = $3, auth_time = $4, amr = $5, last_used_at = $6
             where id = $1
             and cookie = $2
             and ended_at is null",
        )
        .bind(login.id.to_string())
        .bind(cookies.former.0.clone())
        .bind(cookies.new.0.clone())
        .bind(login.auth_time.millis())
        .bind(json(&login.amr))
        .bind(login.last_used_at.millis());
        if !work.admit_user(seen, login.auth_time).await? || work.write(renew).await? == 0 {
            work.rollback().await?;
            return Ok(Begun::Refused);
        }
        work.audit(entry).await?;
        work.commit().await?;
        Ok(Begun::Yes)
    }

    /// The login whose cookie has this digest, ended or not.
    pub async fn login_by_cookie(&self, cookie: &CookieDigest) -> Result<Option<Login>, StoreError> {
        let login = query(concat!("select ", columns!(), "\nfrom logins\nwhere cookie = $1")).bind(cookie.0.clone());
        self.db.read_one(login).await?.as_ref().map(read).transpose()
    }

    /// The login with this identifier.
    pub async fn login(&self, id: LoginId) -> Result<Option<Login>, StoreError> {
        let login = query(concat!("select ", columns!(), "\nfrom logins\nwhere id = $1")).bind(id.to_string());
        self.db.read_one(login).await?.as_ref().map(read).transpose()
    }

    /// The logins of a user that are live at `now` (those that began before the user's watermark are not), the newest
    /// first.
    pub async fn live_logins(&self, user: UserId, now: Timestamp) -> Result<Vec<Login>, StoreError> {
        let logins = query(concat!(
            "select ",
            columns!(),
            "\nfrom logins
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
        self.db.read(logins).await?.iter().map(read).collect()
    }

    /// Ends a login, with its feed row and the notices to applications whose sessions outlive it; says how many.
    /// `None`: there is no such login, or it had ended before, and nothing was written.
    pub async fn end_login(&self, id: LoginId, ended: Ended, entry: &AuditEntry) -> Result<Option<u64>, StoreError> {
        let mut work = self.db.begin().await?;
        work.announce(&Change::Login(id), ended.at).await?;
        let end = query(
            "update logins
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
        let notices = work.queue_notices_of_offline(id, ended).await?;
        work.audit(entry).await?;
        work.commit().await?;
        Ok(Some(notices))
    }

    /// Writes when logins were last used (never back in time).
    pub async fn touch_logins(&self, used: &[(LoginId, Timestamp)]) -> Result<(), StoreError> {
        let touch = "update logins
             set last_used_at = $2
             where id = $1
             and last_used_at < $2";
        self.touch(touch, used).await
    }
}

impl Work {
    /// Whether a session may begin under this login; its row stays locked until the end.
    pub(super) async fn admits_login(
        &mut self,
        id: LoginId,
        at: Timestamp,
        dialect: Dialect,
    ) -> Result<bool, StoreError> {
        let live = shared_query!(
            dialect,
            "select id
             from logins
             where id = $1
             and ended_at is null
             and ends_at > $2"
        )
        .bind(id.to_string())
        .bind(at.millis());
        Ok(self.read_one(live).await?.is_some())
    }
}

fn insert(login: &Login, cookie: &CookieDigest) -> Query {
    let text = concat!(
        "insert into logins\n  (",
        columns!(),
        ", cookie)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
    );
    query(text)
        .bind(login.id.to_string())
        .bind(login.user_id.to_string())
        .bind(json(&login.device))
        .bind(login.created_at.millis())
        .bind(login.last_used_at.millis())
        .bind(login.ends_at.millis())
        .bind(login.auth_time.millis())
        .bind(json(&login.amr))
        .bind(login.ended.map(|ended| ended.at.millis()))
        .bind(login.ended.map(|ended| ended.reason.as_str()))
        .bind(cookie.0.clone())
}

fn read(row: &AnyRow) -> Result<Login, StoreError> {
    let columns = Columns::of(row, "logins", "id")?;
    Ok(Login {
        id: columns.word("id", |id| id.parse().ok())?,
        user_id: columns.word("user_id", |id| id.parse().ok())?,
        device: columns.json("device")?,
        created_at: columns.time("created_at")?,
        last_used_at: columns.time("last_used_at")?,
        ends_at: columns.time("ends_at")?,
        auth_time: columns.time("auth_time")?,
        amr: columns.json("amr")?,
        ended: read_ended(&columns)?,
    })
}
