//! A registered client.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ClientId, ClientMetadata, TOLD_AFTER_EXPIRY};
use crate::clock::Timestamp;
use crate::protocol::{AuthMethod, GrantType};

/// An application that obtains tokens. As JSON it is one flat object: its identifier, its metadata, and what the
/// server assigned to it ([`Client::ASSIGNED`]).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Client {
    #[serde(rename = "client_id")]
    #[schema(value_type = String)]
    pub id: ClientId,
    #[serde(flatten)]
    pub metadata: ClientMetadata,
    #[serde(rename = "tokenhouse_state")]
    #[schema(value_type = String)]
    pub state: ClientState,
    /// Its index in the status lists, for tokens without a session.
    #[serde(rename = "tokenhouse_status_index")]
    pub status_index: i64,
    /// Tokens and sessions that began before this time are invalid.
    #[serde(rename = "tokenhouse_not_before")]
    #[schema(value_type = String)]
    pub not_before: Timestamp,
    /// When it was registered (RFC 7591 section 3.2.1).
    #[serde(rename = "client_id_issued_at", serialize_with = "super::seconds::of_timestamp")]
    #[schema(value_type = i64)]
    pub created_at: Timestamp,
    /// The previous lifetime of its access tokens, where that differed from the server's, and when it was last
    /// changed.
    #[serde(skip)]
    pub previous_access_lifetime: Option<(Duration, Timestamp)>,
    /// Client secrets, newest first; at most two, during a rotation. Never printed.
    #[serde(skip)]
    pub secrets: Vec<ClientSecret>,
}

/// Whether the client may obtain tokens. A removed client has no row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientState {
    Active,
    /// It obtains no tokens and has no live session.
    Disabled,
}

/// A client secret as the database stores it. Generated secrets have 256 bits, so a plain digest is safe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientSecret {
    /// SHA-256 of the secret.
    pub digest: [u8; 32],
    /// The end of a replaced secret; the current one has none.
    pub expires_at: Option<Timestamp>,
}

/// The longest lifetime of an access token: one day. Status lists depend on it, and so does an index in the database
/// (`store/sql/status.rs`).
pub const MAX_ACCESS_LIFETIME: Duration = Duration::from_hours(24);

/// How long the previous lifetime of access tokens is remembered.
const PREVIOUS_REMEMBERED: Duration = MAX_ACCESS_LIFETIME.saturating_add(TOLD_AFTER_EXPIRY);

impl Client {
    /// The JSON members besides the identifier that the server assigns and that no change of the metadata touches.
    pub const ASSIGNED: [&'static str; 4] =
        ["client_id_issued_at", "tokenhouse_state", "tokenhouse_status_index", "tokenhouse_not_before"];

    #[must_use]
    pub fn name(&self) -> &str {
        self.metadata.client_name.as_deref().unwrap_or(self.id.as_str())
    }

    /// Whether the client cannot keep a secret, because it runs on a user's device (RFC 6749 section 2.1).
    #[must_use]
    pub const fn is_public(&self) -> bool {
        match self.metadata.token_endpoint_auth_method {
            AuthMethod::None => true,
            AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost => false,
        }
    }

    /// The longest lifetime that the client's own settings gave to access tokens within the last 24 hours (and two
    /// minutes). Where it has none of its own, the server's setting applies.
    #[must_use]
    pub fn longest_access_lifetime(&self, now: Timestamp) -> Option<Duration> {
        let previous = self.previous_access_lifetime.filter(|(_, changed)| now.since(*changed) <= PREVIOUS_REMEMBERED);
        self.metadata.access_token_lifetime.max(previous.map(|(life, _)| life))
    }

    /// The previous access token lifetime to remember when `metadata` replaces the current metadata. Of two changes
    /// within 24 hours (and two minutes), the longer of the previous lifetimes counts. The server remembers its own
    /// setting itself.
    #[must_use]
    pub fn previous_access_lifetime_after(
        &self,
        metadata: &ClientMetadata,
        at: Timestamp,
    ) -> Option<(Duration, Timestamp)> {
        let own = self.metadata.access_token_lifetime;
        if metadata.access_token_lifetime == own {
            return self.previous_access_lifetime;
        }
        let longer = self
            .previous_access_lifetime
            .filter(|(life, changed)| at.since(*changed) < PREVIOUS_REMEMBERED && Some(*life) > own);
        longer.map(|(life, _)| life).or(own).map(|life| (life, at))
    }

    #[must_use]
    pub fn may_use(&self, grant: GrantType) -> bool {
        self.metadata.grant_types.contains(&grant)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn what_is_shown_beside_the_metadata_is_the_identifier_and_what_is_assigned() {
        let client = Client {
            id: ClientId::simplejwt(),
            metadata: ClientMetadata::default(),
            state: ClientState::Active,
            status_index: 7,
            not_before: Timestamp::default(),
            created_at: Timestamp::from_millis(1999),
            previous_access_lifetime: None,
            secrets: vec![ClientSecret { digest: [0; 32], expires_at: None }],
        };

        let shown = serde_json::to_value(&client).unwrap();
        let metadata = serde_json::to_value(&client.metadata).unwrap();

        assert_eq!(shown["client_id_issued_at"], 1);
        let mut others: Vec<&str> = Client::ASSIGNED.into_iter().chain(["client_id"]).collect();
        others.sort_unstable();
        let beside = |(name, _): &(&String, &Value)| metadata.get(name.as_str()).is_none();
        let mut names: Vec<&str> =
            shown.as_object().unwrap().iter().filter(beside).map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, others);
    }
}
