//! A session: the tokens of one client for one user, from sign-in to their end.

use serde::{Deserialize, Serialize};

use super::{Acr, BrowserSessionId, ClientId, ClientStatusIndex, Confirmation, SessionId, UserAgent, UserId};
use crate::clock::Timestamp;
use crate::protocol::{Scope, scope};

/// A session as the database keeps it: written at sign-in and at its end; in between its last use is noted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// `sid`.
    pub id: SessionId,
    /// Whose tokens they are.
    pub user_id: UserId,
    /// Which application holds them.
    pub client_id: ClientId,
    /// What was granted.
    pub scope: Scope,
    /// `aud` of its access tokens.
    pub audience: Vec<String>,
    /// Its status index in the status lists (IETF Token Status List).
    pub status_index: i64,
    /// Where the user signed in from.
    pub user_agent: UserAgent,
    /// When it began.
    pub created_at: Timestamp,
    /// When its tokens were last renewed, to within the reporting interval.
    pub last_used_at: Timestamp,
    /// The session is over then, however often it was refreshed.
    pub ends_at: Timestamp,
    /// When the user proved who they are (`auth_time`).
    pub auth_time: Timestamp,
    /// How (`amr`, RFC 8176).
    pub amr: Vec<String>,
    /// How well (`acr`). Only ID tokens say it.
    #[serde(skip)]
    pub acr: Acr,
    /// The browser session under which it began; none where the user signed in at the application.
    pub browser_session_id: Option<BrowserSessionId>,
    /// Claims for userinfo that were asked for by name (OpenID Connect Core 1.0 section 5.5).
    pub claims: Vec<String>,
    /// The key that its tokens are bound to, where they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<Confirmation>,
    /// Why it is over, if it is.
    pub ended: Option<Ended>,
}

impl Session {
    /// Whether it outlives its browser session (OpenID Connect Core 1.0 section 11).
    #[must_use]
    pub fn is_offline(&self) -> bool {
        self.scope.contains(scope::OFFLINE_ACCESS)
    }
}

/// The end of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: EndReason,
}

/// A session that has ended, as the instances learn of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedSession {
    /// `sid`.
    pub id: SessionId,
    /// When and why.
    pub ended: Ended,
    /// Whose tokens it held; nothing where its row has been removed, which is long after the last of them expired.
    pub index: Option<ClientStatusIndex>,
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The client revoked a token of it (RFC 7009).
    Revoked,
    /// The user signed out.
    SignedOut,
    /// An administrator ended it.
    Admin,
    /// A used refresh token came back: two parties hold the tokens.
    Reuse,
    /// Generation after generation was presented twice, and the client asks for that to end it.
    Repeated,
    /// The user was disabled.
    UserDisabled,
    /// The user was removed.
    UserRemoved,
    /// The password was changed.
    PasswordChanged,
    /// The client was disabled.
    ClientDisabled,
    /// The client was removed.
    ClientRemoved,
    /// The client or the user may no longer be granted what the session holds.
    ScopeWithdrawn,
    /// Its authorization code came a second time (RFC 6749 section 4.1.2).
    CodeReused,
    /// Somebody else signed in in the same browser.
    Replaced,
    /// The user took back what the application may have.
    ConsentWithdrawn,
    /// The session began before a moment that an administrator named.
    IssuedBefore,
    /// For a reason that only a newer version of this program knows.
    Unknown,
}

impl EndReason {
    /// Every reason that this version knows.
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

    /// The reason of this word; an end is an end, whatever a newer version calls its reason.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|reason| reason.as_str() == word).unwrap_or(Self::Unknown)
    }

    /// Whether the application has not brought the end about itself, and somebody is left there to be told.
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

    /// The word that the database, the admin API and the audit use.
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

/// Which sessions are meant. Absent parts match everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// One session.
    pub session: Option<SessionId>,
    /// Those of one user.
    pub user: Option<UserId>,
    /// Those of one client.
    pub client: Option<ClientId>,
    /// Those that began under one browser session and do not outlive it.
    pub browser_session: Option<BrowserSessionId>,
    /// Those that began before this moment.
    pub issued_before: Option<Timestamp>,
    /// Only those that are neither ended nor past their absolute end.
    pub live_only: bool,
}
