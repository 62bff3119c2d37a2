//! The audit log's events, and the entry that a change carries into its transaction.
//!
//! The database writes an entry in the same transaction as the change that it records (`store/sql/audit.rs`).

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::model::{BrowserSessionId, ClientId, EndReason, SessionId, UserId};
use crate::protocol::Scope;

/// An event of a user, a client, a session or a key. It never holds a secret, a token or an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum AuditEvent {
    SessionBegan {
        session: SessionId,
        user: UserId,
        client: ClientId,
    },
    SessionEnded {
        session: SessionId,
        user: UserId,
        client: ClientId,
        reason: EndReason,
    },
    /// A used refresh token was presented; the session was ended.
    RefreshReused {
        session: SessionId,
        user: UserId,
        client: ClientId,
        generation: u64,
    },
    /// A generation was presented twice, and so were at least the two before it.
    RefreshRepeated {
        session: SessionId,
        user: UserId,
        client: ClientId,
        generation: u64,
    },
    /// A refresh token was ahead of its record: the ephemeral store had lost writes.
    RefreshRolledForward {
        session: SessionId,
        client: ClientId,
        generation: u64,
    },
    BrowserSessionBegan {
        browser_session: BrowserSessionId,
        user: UserId,
    },
    /// A user who was signed in authenticated again.
    BrowserSessionRenewed {
        browser_session: BrowserSessionId,
        user: UserId,
    },
    BrowserSessionEnded {
        browser_session: BrowserSessionId,
        user: UserId,
        reason: EndReason,
    },
    ConsentGiven {
        user: UserId,
        client: ClientId,
        scope: Scope,
    },
    ConsentWithdrawn {
        user: UserId,
        client: ClientId,
    },
    /// An authorization code was presented a second time; the session that it had started was ended.
    CodeReused {
        session: SessionId,
        user: UserId,
        client: ClientId,
    },
    /// A sign-in failed. `user` is absent when no such user exists.
    SignInFailed {
        user: Option<UserId>,
    },
    SessionsRevoked {
        user: Option<UserId>,
        client: Option<ClientId>,
        count: u64,
        reason: EndReason,
    },
    UserAdded {
        user: UserId,
    },
    /// `changed` names the changed fields; `admin` is the new value where it changed.
    UserChanged {
        user: UserId,
        changed: Vec<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        admin: Option<bool>,
    },
    UserDisabled {
        user: UserId,
    },
    UserEnabled {
        user: UserId,
    },
    UserRemoved {
        user: UserId,
    },
    PasswordChanged {
        user: UserId,
    },
    ClientAdded {
        client: ClientId,
    },
    ClientChanged {
        client: ClientId,
    },
    ClientDisabled {
        client: ClientId,
    },
    ClientEnabled {
        client: ClientId,
    },
    ClientRemoved {
        client: ClientId,
    },
    ClientSecretRotated {
        client: ClientId,
    },
    KeyPublished {
        kid: String,
    },
    KeyActivated {
        kid: String,
    },
    KeyRetired {
        kid: String,
    },
    KeyRemoved {
        kid: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "id", rename_all = "snake_case")]
pub enum Actor {
    System,
    CommandLine,
    User(UserId),
    Client(ClientId),
    /// The subject (`sub`) of an admin token.
    Admin(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    pub id: Uuid,
    pub at: Timestamp,
    pub actor: Actor,
    pub event: AuditEvent,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AuditRecord {
    pub id: String,
    pub at: Timestamp,
    pub actor: Actor,
    /// Kept as JSON, so that events of previous versions stay readable.
    pub event: Value,
}
