//! A registered application.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ClientId, SignOn, SigningAlgorithm, TOLD_AFTER_EXPIRY};
use crate::clock::Timestamp;
use crate::protocol::{AuthMethod, GrantType, RedirectUri, Scope};

/// An application that obtains tokens (RFC 7591 section 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// `client_id`.
    pub id: ClientId,
    /// `client_name`, shown to people.
    pub name: String,
    /// Can the application keep a secret? (RFC 6749 section 2.1)
    pub kind: ClientKind,
    /// `token_endpoint_auth_method`.
    pub auth_method: AuthMethod,
    /// May it obtain tokens at all?
    pub state: ClientState,
    /// First-party: no consent page.
    pub trusted: bool,
    /// `grant_types`.
    pub grants: Vec<GrantType>,
    /// The most it may be granted.
    pub scope: Scope,
    /// The `aud` of its access tokens. Where empty, the issuer; for people whom a client signs on that is not trusted,
    /// the client itself.
    pub audience: Vec<String>,
    /// `redirect_uris`.
    pub redirect_uris: Vec<RedirectUri>,
    /// `post_logout_redirect_uris`.
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// `backchannel_logout_uri`.
    pub backchannel_logout_uri: Option<String>,
    /// What else it registered about sign-in.
    pub sign_on: SignOn,
    /// The signature of its access tokens, where it differs from the server's.
    pub access_token_algorithm: Option<SigningAlgorithm>,
    /// The life of its access tokens, where it differs from the server's.
    #[serde(with = "super::seconds")]
    pub access_lifetime: Option<Duration>,
    /// The life that its access tokens had before, where that differed from the server's, and when it was last changed.
    #[serde(skip)]
    pub previous_access_lifetime: Option<(Duration, Timestamp)>,
    /// The life of its refresh tokens, where it differs from the server's.
    #[serde(with = "super::seconds")]
    pub refresh_lifetime: Option<Duration>,
    /// How its refresh tokens behave.
    pub refresh: RefreshPolicy,
    /// Its status index in the status lists, for tokens without a session.
    pub status_index: i64,
    /// Tokens and sessions that began before this moment are over.
    pub not_before: Timestamp,
    /// When it was registered.
    pub created_at: Timestamp,
    /// Live client secrets, newest first; at most two while rotating. Never printed.
    #[serde(skip)]
    pub secrets: Vec<ClientSecret>,
}

/// Can the application keep a secret?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientKind {
    /// Runs on a person's device.
    Public,
    /// Runs on a server.
    Confidential,
}

/// May the client obtain tokens? A removed client has no row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientState {
    /// Yes.
    Active,
    /// No, and it has no live session.
    Disabled,
}

/// A client secret as it is kept: generated secrets hold 256 bits, so a plain digest is safe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientSecret {
    /// SHA-256 of the secret.
    pub digest: [u8; 32],
    /// The previous secret ends here while a new one takes over; the current one has no end.
    pub expires_at: Option<Timestamp>,
}

/// How a client's refresh tokens rotate; windows in whole seconds. Absent fields follow the server's settings.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RefreshPolicy {
    /// How long a used token is answered with its successor again (double click, two tabs, quick retry).
    #[serde(with = "super::seconds")]
    pub retry_window: Option<Duration>,
    /// How long a lost answer is re-issued; where neither client nor server sets it, as long as the token itself lives.
    #[serde(with = "super::seconds")]
    pub lost_response_window: Option<Duration>,
    /// The same token is returned at every refresh (FAPI 2.0 advises it for sender-constrained tokens).
    pub fixed: bool,
    /// What happens from the third generation on that was repeated in a row.
    pub on_repeated: RepeatedRefresh,
}

/// What happens when generation after generation of a session's tokens is presented twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RepeatedRefresh {
    /// An audit event `refresh_repeated`.
    #[default]
    Report,
    /// The event, and the session ends.
    EndSession,
}

/// The longest life of an access token: a day. Status lists count on it, and so does an index in the database
/// (`store/sql/status.rs`).
pub const MAX_ACCESS_LIFETIME: Duration = Duration::from_hours(24);

impl Client {
    /// How long the oldest of its live access tokens may live, by its own settings: the longest life that they gave
    /// within the last 24 hours (and two minutes). Where it has none of its own, the server's counts.
    #[must_use]
    pub fn longest_access_lifetime(&self, now: Timestamp) -> Option<Duration> {
        let previous = self
            .previous_access_lifetime
            .filter(|(_, changed)| now.since(*changed) <= MAX_ACCESS_LIFETIME + TOLD_AFTER_EXPIRY);
        self.access_lifetime.max(previous.map(|(life, _)| life))
    }

    /// Whether the client may use `grant`.
    #[must_use]
    pub fn may_use(&self, grant: GrantType) -> bool {
        self.grants.contains(&grant)
    }
}
