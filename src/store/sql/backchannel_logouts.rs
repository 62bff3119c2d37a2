//! The queue of back-channel logouts. A logout is written in the same transaction as the end of its session, so that no
//! crash can lose it.

use sqlx::any::AnyRow;

use super::Database;
use super::columns::Columns;
use super::db::{Query, Work, query};
use crate::clock::Timestamp;
use crate::model::{BackchannelLogout, BrowserSessionId, Ended, SessionId};
use crate::store::StoreError;

/// Queues a back-channel logout for each session that matches and whose client wants one. If one is queued already, it
/// stays: its content would be the same. The functions below return how many were queued.
macro_rules! queue {
    ($which:literal) => {
        query(concat!(
            "insert into backchannel_logouts (session_id, user_id, client_id, created_at, tries, next_try_at)
             select sessions.id, sessions.user_id, sessions.client_id, $1, 0, $1
             from sessions
             join clients on clients.id = sessions.client_id
             where clients.backchannel_logout_uri is not null
             and ",
            $which,
            "\non conflict (session_id) do nothing"
        ))
    };
}

impl Work {
    /// Queues a logout for the session that this transaction has ended.
    pub(super) async fn queue_notice(&mut self, session: SessionId, ended: Ended) -> Result<u64, StoreError> {
        self.queue(queue!("sessions.id = $2").bind(ended.at.millis()).bind(session.to_string()), ended).await
    }

    /// Queues logouts for the sessions that this transaction has ended under the number `first`.
    pub(super) async fn queue_backchannel(&mut self, first: i64, ended: Ended) -> Result<u64, StoreError> {
        self.queue(queue!("sessions.ended_feed = $2").bind(ended.at.millis()).bind(first), ended).await
    }

    /// Queues logouts for the sessions that outlive this ending browser session: their clients learn that the user is
    /// no longer signed in.
    pub(super) async fn queue_backchannel_of_offline(
        &mut self,
        browser_session: BrowserSessionId,
        ended: Ended,
    ) -> Result<u64, StoreError> {
        let outliving = queue!(
            "sessions.browser_session_id = $2
             and sessions.offline = 1
             and sessions.ended_at is null
             and sessions.ends_at > $1"
        );
        self.queue(outliving.bind(ended.at.millis()).bind(browser_session.to_string()), ended).await
    }

    async fn queue(&mut self, statement: Query, ended: Ended) -> Result<u64, StoreError> {
        if ended.reason.is_notified() { self.write(statement).await } else { Ok(0) }
    }
}

impl Database {
    /// Returns at most `limit` logouts that are due at `now`, those that are due longest first.
    pub async fn due_backchannel_logouts(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<BackchannelLogout>, StoreError> {
        let due = query(
            "select session_id, user_id, client_id, created_at, tries, next_try_at
             from backchannel_logouts
             where next_try_at <= $1
             order by next_try_at
             limit $2",
        )
        .bind(now.millis())
        .bind(i64::from(limit));
        self.db.read(due).await?.iter().map(read).collect()
    }

    /// Claims a logout for one attempt by setting the time of the next one. Returns `false` if another instance has
    /// claimed it, or if it is gone.
    pub async fn claim_backchannel_logout(
        &self,
        logout: &BackchannelLogout,
        next_try_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let claim = query(
            "update backchannel_logouts
             set next_try_at = $3, tries = tries + 1
             where session_id = $1
             and next_try_at = $2",
        )
        .bind(logout.session.to_string())
        .bind(logout.next_try_at.millis())
        .bind(next_try_at.millis());
        Ok(self.db.write(claim).await? == 1)
    }

    pub async fn remove_backchannel_logout(&self, session: SessionId) -> Result<(), StoreError> {
        let remove = query("delete from backchannel_logouts where session_id = $1").bind(session.to_string());
        self.db.write(remove).await.map(drop)
    }
}

fn read(row: &AnyRow) -> Result<BackchannelLogout, StoreError> {
    let columns = Columns::of(row, "backchannel_logouts", "session_id")?;
    let tries = columns.number("tries")?;
    Ok(BackchannelLogout {
        session: columns.word("session_id", |id| id.parse().ok())?,
        user: columns.word("user_id", |id| id.parse().ok())?,
        client: columns.word("client_id", |id| id.parse().ok())?,
        created_at: columns.time("created_at")?,
        tries: u32::try_from(tries).map_err(|_| columns.corrupt("tries"))?,
        next_try_at: columns.time("next_try_at")?,
    })
}
