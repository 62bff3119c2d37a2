//! Sessions: one row each, written at sign-in and at the end.

use super::Ledger;
use crate::audit::AuditEntry;
use crate::clock::Timestamp;
use crate::model::{Ended, Page, PageRequest, Session, SessionFilter, SessionId};
use crate::store::StoreError;

/// The answer of [`Ledger::begin_session`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// The session is on record.
    Yes,
    /// The user or the client is gone, disabled, or a watermark is later than the session: nothing was written.
    Refused,
}

/// The answer of [`Ledger::end_session`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndOutcome {
    /// This call ended it.
    Ended(Session),
    /// It had ended before.
    EndedBefore(Session),
    /// No such session.
    Absent,
}

impl Ledger {
    /// Writes the session and the user's `last_login_at`, provided that (checked under the rows' locks, so that a
    /// concurrent disable, removal or watermark either sees this session or stops it) the user and the client exist
    /// and are active, and neither their watermarks nor the global one lie after `session.created_at`.
    pub async fn begin_session(&self, session: &Session, entry: &AuditEntry) -> Result<Begun, StoreError> {
        let _ = (session, entry);
        todo!()
    }

    /// The session with this identifier.
    pub async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        let _ = id;
        todo!()
    }

    /// Ends one session, with its feed row; `entry` is written only when this call ended it.
    pub async fn end_session(&self, id: SessionId, ended: Ended, entry: &AuditEntry) -> Result<EndOutcome, StoreError> {
        let _ = (id, ended, entry);
        todo!()
    }

    /// Ends at most `limit` of the live sessions that match, with a feed row each, in one transaction; returns them.
    /// Call it until it returns none.
    pub async fn end_sessions(
        &self,
        filter: &SessionFilter,
        ended: Ended,
        limit: u32,
    ) -> Result<Vec<Session>, StoreError> {
        let _ = (filter, ended, limit);
        todo!()
    }

    /// Sessions that match, in the order of their identifiers (that is, of their creation). `now` decides what is live.
    pub async fn list_sessions(
        &self,
        filter: &SessionFilter,
        page: &PageRequest,
        now: Timestamp,
    ) -> Result<Page<Session>, StoreError> {
        let _ = (filter, page, now);
        todo!()
    }

    /// Sessions that ended at or after `since`, in the order of their identifiers, at most `limit` after `after`.
    pub async fn sessions_ended_since(
        &self,
        since: Timestamp,
        after: Option<SessionId>,
        limit: u32,
    ) -> Result<Vec<(SessionId, Ended)>, StoreError> {
        let _ = (since, after, limit);
        todo!()
    }

    /// Writes when sessions were last used (never back in time).
    pub async fn touch_sessions(&self, used: &[(SessionId, Timestamp)]) -> Result<(), StoreError> {
        let _ = used;
        todo!()
    }
}
