//! The outbox of sign-outs: who is yet to be told that a session is over. A notice is written in the transaction of the
//! end that it tells of, so that no crash can lose it.

use sqlx::any::AnyRow;

use super::Database;
use super::columns::Columns;
use super::db::{Query, Work, query};
use crate::clock::Timestamp;
use crate::model::{BrowserSessionId, Ended, LogoutNotice, SessionId};
use crate::store::StoreError;

/// Writes a notice for those sessions that match and whose client wants to be told. One that is still on its way says
/// the same.
macro_rules! queue {
    ($which:literal) => {
        query(concat!(
            "insert into logout_notices (session_id, user_id, client_id, created_at, tries, next_try_at)
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
    /// For the session that this transaction has ended; says how many.
    pub(super) async fn queue_notice(&mut self, session: SessionId, ended: Ended) -> Result<u64, StoreError> {
        self.queue(queue!("sessions.id = $2").bind(ended.at.millis()).bind(session.to_string()), ended).await
    }

    /// For the sessions that this transaction has ended under the number `first`; says how many.
    pub(super) async fn queue_notices(&mut self, first: i64, ended: Ended) -> Result<u64, StoreError> {
        self.queue(queue!("sessions.ended_feed = $2").bind(ended.at.millis()).bind(first), ended).await
    }

    /// For the sessions that outlive this browser session, which ends: their applications are told that nobody is
    /// signed in any more. Says how many.
    pub(super) async fn queue_notices_of_offline(
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

    async fn queue(&mut self, notices: Query, ended: Ended) -> Result<u64, StoreError> {
        if ended.reason.is_news() { self.write(notices).await } else { Ok(0) }
    }
}

impl Database {
    /// Notices that are to be tried at `now`, at most `limit`, those that wait longest first.
    pub async fn due_notices(&self, now: Timestamp, limit: u32) -> Result<Vec<LogoutNotice>, StoreError> {
        let due = query(
            "select session_id, user_id, client_id, created_at, tries, next_try_at
             from logout_notices
             where next_try_at <= $1
             order by next_try_at
             limit $2",
        )
        .bind(now.millis())
        .bind(i64::from(limit));
        self.db.read(due).await?.iter().map(read).collect()
    }

    /// Takes a notice for a try, by moving on when it is tried again. `false`: somebody else has it, or it is gone.
    pub async fn claim_notice(&self, notice: &LogoutNotice, next_try_at: Timestamp) -> Result<bool, StoreError> {
        let claim = query(
            "update logout_notices
             set next_try_at = $3, tries = tries + 1
             where session_id = $1
             and next_try_at = $2",
        )
        .bind(notice.session.to_string())
        .bind(notice.next_try_at.millis())
        .bind(next_try_at.millis());
        Ok(self.db.write(claim).await? == 1)
    }

    /// Removes a notice: its application was told, or cannot be.
    pub async fn remove_notice(&self, session: SessionId) -> Result<(), StoreError> {
        let remove = query("delete from logout_notices where session_id = $1").bind(session.to_string());
        self.db.write(remove).await.map(drop)
    }
}

fn read(row: &AnyRow) -> Result<LogoutNotice, StoreError> {
    let columns = Columns::of(row, "logout_notices", "session_id")?;
    let tries = columns.number("tries")?;
    Ok(LogoutNotice {
        session: columns.word("session_id", |id| id.parse().ok())?,
        user: columns.word("user_id", |id| id.parse().ok())?,
        client: columns.word("client_id", |id| id.parse().ok())?,
        created_at: columns.time("created_at")?,
        tries: u32::try_from(tries).map_err(|_| columns.corrupt("tries"))?,
        next_try_at: columns.time("next_try_at")?,
    })
}
