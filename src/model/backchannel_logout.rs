//! An application is yet to be told that a session is over.

use super::{ClientId, SessionId, UserId};
use crate::clock::Timestamp;

/// A back-channel logout in the outbox (OpenID Connect Back-Channel Logout 1.0).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackchannelLogout {
    /// Which session is over, or has lost its browser session.
    pub session: SessionId,
    /// Whose it was.
    pub user: UserId,
    /// Who is told.
    pub client: ClientId,
    /// When it was over.
    pub created_at: Timestamp,
    /// How often it was tried.
    pub tries: u32,
    /// When it is tried again.
    pub next_try_at: Timestamp,
}
