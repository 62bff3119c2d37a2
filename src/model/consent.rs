//! A user's consent to a client's access.

use serde::Serialize;

use super::{ClientId, UserId};
use crate::clock::Timestamp;
use crate::protocol::Scope;

/// The standing consent of a user to one client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Consent {
    pub user_id: UserId,
    pub client_id: ClientId,
    /// Every scope that was granted and not withdrawn.
    pub scope: Scope,
    pub given_at: Timestamp,
}
