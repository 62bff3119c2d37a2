//! A session: the tokens of one client for one user, from sign-in to their end.

use serde::{Deserialize, Serialize};

use super::{Acr, BrowserSessionId, ClientId, ClientStatusIndex, Confirmation, SessionId, UserAgent, UserId};
use crate::clock::Timestamp;
use crate::protocol::{Scope, scope};

/// A session as the database stores it. The row is written at sign-in and at the end; in between, only its last use
/// is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub id: SessionId,
    pub user_id: UserId,
    pub client_id: ClientId,
    pub scope: Scope,
    /// `aud` of its access tokens.
    pub audience: Vec<String>,
    /// Its index in the status lists (IETF Token Status List).
    pub status_index: i64,
    pub user_agent: UserAgent,
    pub created_at: Timestamp,
    /// When its tokens were last renewed, to within the reporting interval.
    pub last_used_at: Timestamp,
    /// The absolute end, however often the session is refreshed.
    pub ends_at: Timestamp,
    /// When the user authenticated (`auth_time`).
    pub auth_time: Timestamp,
    /// Authentication methods (`amr`, RFC 8176).
    pub amr: Vec<String>,
    /// Authentication context class (`acr`). Only ID tokens carry it.
    #[serde(skip)]
    pub acr: Acr,
    /// The browser session under which it began; `None` where the user signed in at the application.
    pub browser_session_id: Option<BrowserSessionId>,
    /// Userinfo claims that were requested by name (OpenID Connect Core 1.0 section 5.5).
    pub claims: Vec<String>,
    /// The key to which its tokens are bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<Confirmation>,
    pub ended: Option<Ended>,
}

impl Session {
    /// Whether it outlives its browser session (OpenID Connect Core 1.0 section 11).
    #[must_use]
    pub fn is_offline(&self) -> bool {
        self.scope.contains(scope::OFFLINE_ACCESS)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    pub at: Timestamp,
    pub reason: EndReason,
}

/// An ended session, as it is reported to the instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedSession {
    pub id: SessionId,
    pub ended: Ended,
    /// Its client and status index; `None` where its row was removed, which is long after its last token expired.
    pub index: Option<ClientStatusIndex>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The client revoked a token of it (RFC 7009).
    Revoked,
    SignedOut,
    Admin,
    /// A used refresh token was presented again: two parties hold the tokens.
    Reuse,
    /// Successive generations were each presented twice, and the client's refresh policy ends the session then.
    Repeated,
    UserDisabled,
    UserRemoved,
    PasswordChanged,
    ClientDisabled,
    ClientRemoved,
    /// The session holds more than the client or the user may now be granted.
    ScopeWithdrawn,
    /// Its authorization code was presented a second time (RFC 6749 section 4.1.2).
    CodeReused,
    /// Another user signed in in the same browser.
    Replaced,
    ConsentWithdrawn,
    /// The session began before a time that an administrator named.
    IssuedBefore,
    /// A reason that only a newer version of this program knows.
    Unknown,
}

impl EndReason {
    /// Every reason except [`Self::Unknown`].
    pub const ALL: [Self; 15] = [
        Self::Revoked,
        Self::SignedOut,
        Self::Admin,
        Self::Reuse,
        Self::Repeated,
        Self::UserDisabled,
        Self::UserRemoved,
        Self::PasswordChanged,
        Self::ClientDisabled,
        Self::ClientRemoved,
        Self::ScopeWithdrawn,
        Self::CodeReused,
        Self::Replaced,
        Self::ConsentWithdrawn,
        Self::IssuedBefore,
    ];

    /// Returns the reason with this name, or [`Self::Unknown`] for a name of a newer version.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word).unwrap_or(Self::Unknown)
    }

    /// Whether the client is notified. It is not if it caused the end itself, was removed, or the reason is unknown.
    #[must_use]
    pub const fn is_notified(self) -> bool {
        match self {
            Self::Revoked | Self::CodeReused | Self::ClientRemoved | Self::Unknown => false,
            Self::SignedOut
            | Self::Admin
            | Self::Reuse
            | Self::Repeated
            | Self::UserDisabled
            | Self::UserRemoved
            | Self::PasswordChanged
            | Self::ClientDisabled
            | Self::ScopeWithdrawn
            | Self::Replaced
            | Self::ConsentWithdrawn
            | Self::IssuedBefore => true,
        }
    }

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::SignedOut => "signed_out",
            Self::Admin => "admin",
            Self::Reuse => "reuse",
            Self::Repeated => "repeated",
            Self::UserDisabled => "user_disabled",
            Self::UserRemoved => "user_removed",
            Self::PasswordChanged => "password_changed",
            Self::ClientDisabled => "client_disabled",
            Self::ClientRemoved => "client_removed",
            Self::ScopeWithdrawn => "scope_withdrawn",
            Self::CodeReused => "code_reused",
            Self::Replaced => "replaced",
            Self::ConsentWithdrawn => "consent_withdrawn",
            Self::IssuedBefore => "issued_before",
            Self::Unknown => "unknown",
        }
    }
}

/// Selects sessions. Absent parts match everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionFilter {
    pub session: Option<SessionId>,
    pub user: Option<UserId>,
    pub client: Option<ClientId>,
    /// Those that began under one browser session and do not outlive it.
    pub browser_session: Option<BrowserSessionId>,
    pub issued_before: Option<Timestamp>,
    /// Only those that are neither ended nor past their absolute end.
    pub live_only: bool,
}
