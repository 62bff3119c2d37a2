//! The administrators' view of a session: the database row and the state of its refresh tokens.

use serde::Serialize;

use crate::clock::Timestamp;
use crate::ctx::Ctx;
use crate::model::{RotationState, Session};

#[derive(Debug, Clone, Serialize)]
pub struct SessionView {
    #[serde(flatten)]
    pub session: Session,
    /// When the session ends if its client does not refresh again: the expiry of its refresh token, or the time of its
    /// end.
    pub effective_end: Timestamp,
    /// The number of rotations; absent when the ephemeral store does not know.
    pub generation: Option<u64>,
}

/// Adds the state of the refresh tokens to a session. If the ephemeral store does not answer, the row alone decides.
pub async fn describe(ctx: &Ctx, session: Session) -> SessionView {
    let known = ctx.store.ephemeral.load(session.id).await;
    let (record_end, generation) = match known {
        Ok((RotationState::Live(record), _)) => (record.expires_at, Some(record.current.number)),
        Ok((RotationState::Ended | RotationState::Absent, _)) | Err(_) => (session.ends_at, None),
    };
    let effective_end = session.ended.map_or_else(|| record_end.min(session.ends_at), |ended| ended.at);
    SessionView { session, effective_end, generation }
}
