//! What is worth remembering for years: one enum of events, and the entry that a change carries into its transaction.
//!
//! The database writes an entry in the same transaction as the change it tells of (`store/sql/audit.rs`).

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::model::{BrowserSessionId, ClientId, EndReason, SessionId, UserId};
use crate::protocol::Scope;

/// Something that happened to a user, a client, a session or a key. It never holds a secret, a token or an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum AuditEvent {
    /// A session began.
    SessionBegan {
        session: SessionId,
        user: UserId,
        client: ClientId,
    },
    /// A session ended.
    SessionEnded {
        session: SessionId,
        user: UserId,
        client: ClientId,
        reason: EndReason,
    },
    /// A used refresh token came back; the session was ended.
    RefreshReused {
        session: SessionId,
        user: UserId,
        client: ClientId,
        generation: u64,
    },
    /// A generation was presented twice, as were the two before it at least.
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
    /// A browser was signed in.
    BrowserSessionBegan {
        browser_session: BrowserSessionId,
        user: UserId,
    },
    /// The user of a browser that is signed in has proved again who they are.
    BrowserSessionRenewed {
        browser_session: BrowserSessionId,
        user: UserId,
    },
    /// A browser was signed out.
    BrowserSessionEnded {
        browser_session: BrowserSessionId,
        user: UserId,
        reason: EndReason,
    },
    /// A user agreed that an application may have what it asks for.
    ConsentGiven {
        user: UserId,
        client: ClientId,
        scope: Scope,
    },
    /// A user took that back.
    ConsentWithdrawn {
        user: UserId,
        client: ClientId,
    },
    /// An authorization code came a second time; what it had issued was ended.
    CodeReused {
        session: SessionId,
        user: UserId,
        client: ClientId,
    },
    /// A sign-in failed. `user` is absent when no such user exists.
    SignInFailed {
        user: Option<UserId>,
    },
    /// All sessions that match were ended at once.
    SessionsRevoked {
        user: Option<UserId>,
        client: Option<ClientId>,
        count: u64,
        reason: EndReason,
    },
    UserAdded {
        user: UserId,
    },
    /// `changed` names the parts, and `admin` is how it is now, where it changed.
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

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "id", rename_all = "snake_case")]
pub enum Actor {
    /// The service itself, on schedule or by rule.
    System,
    /// Somebody at the command line.
    CommandLine,
    /// A user, by their own request.
    User(UserId),
    /// A client, by its own request.
    Client(ClientId),
    /// The bearer of an admin token (`sub`).
    Admin(String),
}

/// An event about to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// A UUID that sorts by time.
    pub id: Uuid,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What.
    pub event: AuditEvent,
}

/// A recorded event.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AuditRecord {
    /// Sorts by time.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What, as JSON: events of previous versions stay readable.
    pub event: Value,
}
