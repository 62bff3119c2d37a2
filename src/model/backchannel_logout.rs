//! A back-channel logout that is not delivered yet.

use super::{ClientId, SessionId, UserId};
use crate::clock::Timestamp;

/// A queued back-channel logout (OpenID Connect Back-Channel Logout 1.0).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackchannelLogout {
    /// The session that ended or lost its browser session.
    pub session: SessionId,
    pub user: UserId,
    pub client: ClientId,
    pub created_at: Timestamp,
    pub tries: u32,
    pub next_try_at: Timestamp,
}
