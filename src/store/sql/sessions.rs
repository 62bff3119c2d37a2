//! Sessions: one row each, written at sign-in and at the end. In between only the last use is updated.

use sqlx::any::AnyRow;

use super::admission::{BeginOutcome, Snapshot};
use super::columns::{Columns, json, one_more, page};
use super::db::{Query, query};
use super::filter::Statement;
use super::{Database, Dialect};
use crate::audit::AuditEntry;
use crate::clock::Timestamp;
use crate::model::{
    Acr, BrowserSessionId, ClientStatusIndex, EndReason, Ended, EndedSession, Page, PageRequest, Session,
    SessionFilter, SessionId, UserId,
};
use crate::protocol::Scope;
use crate::store::StoreError;

macro_rules! columns {
    () => {
        "id, user_id, client_id, scope, audience, status_index, user_agent, created_at, last_used_at, ends_at, auth_time, \
         amr, acr, ended_at, ended_reason, browser_session_id, offline, claims, confirmation"
    };
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndOutcome {
    Ended(Session),
    EndedBefore(Session),
    Absent,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EndedBatch {
    pub sessions: Vec<Session>,
    /// The number of back-channel logouts queued, one per session whose client wants them.
    pub backchannel_logouts: u64,
}

impl Database {
    /// Writes the session and the user's `last_login_at`, if the sign-in is still allowed.
    ///
    /// The conditions are checked under locks of the rows, so that a concurrent disable, removal or `not_before` either
    /// sees this session or stops it. The user and the client must exist and be active. Neither their `not_before`s nor
    /// the global one may be later than `session.created_at`. The session is refused if the user's `not_before`, roles,
    /// groups or `admin` differ from those `seen`, because its tokens state these. It is also refused if the client may
    /// no longer have the scope or has another audience.
    pub async fn begin_session(
        &self,
        session: &Session,
        seen: &Snapshot,
        entry: &AuditEntry,
    ) -> Result<BeginOutcome, StoreError> {
        let mut work = self.db.begin().await?;
        if !work.admits(session, seen, self.dialect()).await? {
            work.rollback().await?;
            return Ok(BeginOutcome::Refused);
        }
        work.write_unique(insert(session)).await?;
        work.audit(entry).await?;
        work.commit().await?;
        Ok(BeginOutcome::Begun)
    }

    pub async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.db.read_one(select(id)).await?.as_ref().map(read).transpose()
    }

    /// Ends one session, with its feed row and the back-channel logout to its client. `entry` is written only if this
    /// call ended it.
    pub async fn end_session(&self, id: SessionId, ended: Ended, entry: &AuditEntry) -> Result<EndOutcome, StoreError> {
        let mut work = self.db.begin().await?;
        let number = work.next_number().await?;
        let end = query(concat!(
            "update sessions
             set ended_at = $2, ended_reason = $3, ended_feed = $4
             where id = $1
             and ended_at is null
             returning ",
            columns!()
        ))
        .bind(id.to_string())
        .bind(ended.at.millis())
        .bind(ended.reason.as_str())
        .bind(number);
        if let Some(row) = work.read_one(end).await? {
            let session = read(&row)?;
            work.announce_ended(number, std::slice::from_ref(&session)).await?;
            work.queue_notice(id, ended).await?;
            work.audit(entry).await?;
            work.commit().await?;
            return Ok(EndOutcome::Ended(session));
        }
        let before = work.read_one(select(id)).await?;
        work.rollback().await?;
        before.as_ref().map_or(Ok(EndOutcome::Absent), |row| read(row).map(EndOutcome::EndedBefore))
    }

    /// Ends at most `limit` live sessions that match, in one transaction, with a feed row for each and a back-channel
    /// logout for each client that wants one. The caller repeats the call until it ends none.
    pub async fn end_sessions(
        &self,
        filter: &SessionFilter,
        ended: Ended,
        limit: u32,
        entry: impl Fn(u64) -> AuditEntry + Send,
    ) -> Result<EndedBatch, StoreError> {
        let mut work = self.db.begin().await?;
        let first = work.next_number().await?;
        let rows = work.read(end_matching(filter, ended, limit, first, self.dialect())).await?;
        if rows.is_empty() {
            work.rollback().await?;
            return Ok(EndedBatch::default());
        }
        let mut sessions = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        sessions.sort_by_key(|session| session.id);
        work.announce_ended(first, &sessions).await?;
        let backchannel_logouts = work.queue_backchannel(first, ended).await?;
        work.audit(&entry(sessions.len() as u64)).await?;
        work.commit().await?;
        Ok(EndedBatch { sessions, backchannel_logouts })
    }

    /// Returns at most `limit` live sessions of a browser session, including those that outlive it.
    pub async fn sessions_of_browser_session(
        &self,
        browser_session: BrowserSessionId,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Session>, StoreError> {
        let live = query(concat!(
            "select ",
            columns!(),
            "\nfrom sessions
             where browser_session_id = $1
             and ended_at is null
             and ends_at > $2
             order by id
             limit $3"
        ))
        .bind(browser_session.to_string())
        .bind(now.millis())
        .bind(i64::from(limit));
        self.db.read(live).await?.iter().map(read).collect()
    }

    /// Lists sessions that match, in the order of their identifiers, which is that of their creation. `now` decides
    /// which are live.
    pub async fn list_sessions(
        &self,
        filter: &SessionFilter,
        page: &PageRequest,
        now: Timestamp,
    ) -> Result<Page<Session>, StoreError> {
        let mut list = Statement::new(concat!("select ", columns!(), "\nfrom sessions"));
        list.text("\nwhere id > ", page.after.clone().unwrap_or_default()).matching(filter);
        if filter.live_only {
            list.then("\nand ended_at is null").number("\nand ends_at > ", now.millis());
        }
        list.number("\norder by id\nlimit ", one_more(page));
        let sessions = self.db.read(list.query()).await?.iter().map(read).collect::<Result<_, _>>()?;
        Ok(self::page(sessions, page, |session: &Session| session.id.to_string()))
    }

    /// Returns live sessions of users whose roles or groups changed at or after `since`: at most `limit` after `after`,
    /// in the order of their identifiers.
    pub async fn sessions_of_changed_users(
        &self,
        since: Timestamp,
        now: Timestamp,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<(SessionId, UserId)>, StoreError> {
        let sessions = query(
            "select sessions.id, sessions.user_id
             from sessions
             join users on users.id = sessions.user_id
             where users.rights_changed_at >= $1
             and sessions.ended_at is null
             and sessions.ends_at > $2
             and sessions.id > $3
             order by sessions.id
             limit $4",
        )
        .bind(since.millis())
        .bind(now.millis())
        .bind(after.map_or_else(String::new, |id| id.to_string()))
        .bind(i64::from(limit));
        let rows = self.db.read(sessions).await?;
        rows.iter()
            .map(|row| {
                let columns = Columns::of(row, "sessions", "id")?;
                let session = columns.word("id", |id| id.parse().ok())?;
                Ok((session, columns.word("user_id", |id| id.parse().ok())?))
            })
            .collect()
    }

    /// Returns sessions that ended at or after `since`: at most `limit` after `after`, in the order of their
    /// identifiers.
    pub async fn sessions_ended_since(
        &self,
        since: Timestamp,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<EndedSession>, StoreError> {
        let ends = query(
            "select id, ended_at, ended_reason, client_id, status_index
             from sessions
             where ended_at >= $1
             and id > $2
             order by id
             limit $3",
        )
        .bind(since.millis())
        .bind(after.map_or_else(String::new, |id| id.to_string()))
        .bind(i64::from(limit));
        let rows = self.db.read(ends).await?;
        rows.iter()
            .map(|row| {
                let columns = Columns::of(row, "sessions", "id")?;
                let ended = read_ended(&columns)?.ok_or_else(|| columns.corrupt("ended_at"))?;
                let id = columns.word("id", |id| id.parse().ok())?;
                Ok(EndedSession { id, ended, index: read_index(&columns)? })
            })
            .collect()
    }

    /// Writes when sessions were last used (never back in time).
    pub async fn record_session_use(&self, used: &[(SessionId, Timestamp)]) -> Result<(), StoreError> {
        let touch = "update sessions
             set last_used_at = $2
             where id = $1
             and last_used_at < $2";
        self.record_use(touch, used).await
    }
}

/// Ends live sessions that match, beginning with those that would end first. They are chosen in a separate step, since
/// a sub-query with a limit may be run again for each row. They are locked in the order of their identifiers.
fn end_matching(filter: &SessionFilter, ended: Ended, limit: u32, first: i64, dialect: Dialect) -> Query {
    let mut end = Statement::new("with chosen as materialized (\nselect id\nfrom sessions\nwhere ended_at is null");
    end.number("\nand ends_at > ", ended.at.millis()).matching(filter);
    end.number("\norder by ends_at, id\nlimit ", i64::from(limit));
    end.then(
        "\n), locked as materialized (\nselect id\nfrom sessions\nwhere id in (select id from chosen)\norder by id",
    );
    end.then(match dialect {
        Dialect::Postgres => "\nfor update",
        Dialect::Sqlite => "",
    });
    end.number("\n)\nupdate sessions\nset ended_at = ", ended.at.millis());
    end.text(", ended_reason = ", ended.reason.as_str());
    end.number(", ended_feed = ", first);
    end.then(concat!("\nwhere id in (select id from locked)\nreturning ", columns!()));
    end.query()
}

fn select(id: SessionId) -> Query {
    query(concat!("select ", columns!(), "\nfrom sessions\nwhere id = $1")).bind(id.to_string())
}

fn insert(session: &Session) -> Query {
    let text = concat!(
        "insert into sessions\n  (",
        columns!(),
        ")
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)"
    );
    query(text)
        .bind(session.id.to_string())
        .bind(session.user_id.to_string())
        .bind(session.client_id.as_str().to_owned())
        .bind(session.scope.as_str().to_owned())
        .bind(json(&session.audience))
        .bind(session.status_index)
        .bind(json(&session.user_agent))
        .bind(session.created_at.millis())
        .bind(session.last_used_at.millis())
        .bind(session.ends_at.millis())
        .bind(session.auth_time.millis())
        .bind(json(&session.amr))
        .bind(session.acr.as_str())
        .bind(session.ended.map(|ended| ended.at.millis()))
        .bind(session.ended.map(|ended| ended.reason.as_str()))
        .bind(session.browser_session_id.map(|browser_session| browser_session.to_string()))
        .bind(i64::from(session.is_offline()))
        .bind(json(&session.claims))
        .bind(session.confirmation.as_ref().map(json))
}

fn read(row: &AnyRow) -> Result<Session, StoreError> {
    let columns = Columns::of(row, "sessions", "id")?;
    Ok(Session {
        id: columns.word("id", |id| id.parse().ok())?,
        user_id: columns.word("user_id", |id| id.parse().ok())?,
        client_id: columns.word("client_id", |id| id.parse().ok())?,
        scope: columns.word("scope", |text| Scope::parse(text).ok())?,
        audience: columns.json("audience")?,
        status_index: columns.number("status_index")?,
        user_agent: columns.json("user_agent")?,
        created_at: columns.time("created_at")?,
        last_used_at: columns.time("last_used_at")?,
        ends_at: columns.time("ends_at")?,
        auth_time: columns.time("auth_time")?,
        amr: columns.json("amr")?,
        acr: columns.word("acr", |name| Some(Acr::recorded(name)))?,
        browser_session_id: columns.word_if("browser_session_id", |id| id.parse().ok())?,
        claims: columns.json("claims")?,
        confirmation: columns.word_if("confirmation", |text| serde_json::from_str(text).ok())?,
        ended: read_ended(&columns)?,
    })
}

/// Reads the end of a session from its own row or from the feed's. Either both columns are set or neither.
pub(super) fn read_ended(columns: &Columns<'_>) -> Result<Option<Ended>, StoreError> {
    let at = columns.time_if("ended_at")?;
    let reason = columns.word_if("ended_reason", |word| Some(EndReason::from_word(word)))?;
    match (at, reason) {
        (Some(at), Some(reason)) => Ok(Some(Ended { at, reason })),
        (None, None) => Ok(None),
        (Some(_), None) | (None, Some(_)) => Err(columns.corrupt("ended_reason")),
    }
}

/// Reads the status index of an ended session's tokens. Either both columns are set or neither.
pub(super) fn read_index(columns: &Columns<'_>) -> Result<Option<ClientStatusIndex>, StoreError> {
    let Some(client_id) = columns.word_if("client_id", |id| id.parse().ok())? else { return Ok(None) };
    Ok(Some(ClientStatusIndex { client_id, status_index: columns.number("status_index")? }))
}
