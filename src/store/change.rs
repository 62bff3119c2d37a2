//! What changes in the database, as the change feed and this instance's memory are told of it.

use crate::clock::Timestamp;
use crate::model::{BrowserSessionId, ClientId, EndedSession, RevokedIndex, UserId};

/// Something that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A user was added, changed or removed, or has agreed to something else.
    User(UserId),
    /// A client was added, changed or removed.
    Client(ClientId),
    /// A browser session was renewed or ended.
    BrowserSession(BrowserSessionId),
    /// The keyring changed.
    Keys,
    /// A session ended.
    SessionEnded(EndedSession),
    /// The tokens that a client held without a session were revoked, and it has another status index.
    IndexRevoked(RevokedIndex),
    /// The global `not_before` rose to this moment, or had risen beyond it before.
    GlobalNotBefore(Timestamp),
    /// Something that cannot be read, or that only a newer version of this program knows: anything may have changed.
    Unknown,
}
