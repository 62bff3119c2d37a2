//! The changes of the database that the change feed carries and that each instance applies to its cache.

use crate::clock::Timestamp;
use crate::model::{BrowserSessionId, ClientId, EndedSession, RevokedIndex, UserId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A user was added, changed or removed, or the user's consents changed.
    User(UserId),
    Client(ClientId),
    BrowserSession(BrowserSessionId),
    Keys,
    SessionEnded(EndedSession),
    /// The tokens that a client held without a session were revoked, and the client has a new status index.
    IndexRevoked(RevokedIndex),
    /// The global `not_before` was raised to this time, or was already at or beyond it.
    GlobalNotBefore(Timestamp),
    /// A row that cannot be read or that only a newer version of this program knows: anything may have changed.
    Unknown,
}
