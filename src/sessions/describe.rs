//! A session as administrators see it: the database's row, and where its refresh tokens stand.

use serde::Serialize;

use crate::clock::Timestamp;
use crate::ctx::Ctx;
use crate::model::{RotationState, Session};

/// A session in a list.
#[derive(Debug, Clone, Serialize)]
pub struct SessionView {
    /// The database's row.
    #[serde(flatten)]
    pub session: Session,
    /// When it is over if nobody renews it: the end of its refresh token, or when it was ended.
    pub effective_end: Timestamp,
    /// How often its refresh token was rotated; absent when the ephemeral store does not know.
    pub generation: Option<u64>,
}

/// Looks up where the session's refresh tokens stand. An ephemeral store that does not answer leaves that out.
pub async fn describe(ctx: &Ctx, session: Session) -> SessionView {
    let known = ctx.store.ephemeral.load(session.id).await;
    let (record_end, generation) = match known {
        Ok((RotationState::Live(record), _)) => (record.expires_at, Some(record.current.number)),
        Ok((RotationState::Ended | RotationState::Absent, _)) | Err(_) => (session.ends_at, None),
    };
    let effective_end = session.ended.map_or_else(|| record_end.min(session.ends_at), |ended| ended.at);
    SessionView { session, effective_end, generation }
}
