//! What a user lets an application have.

use serde::Serialize;

use super::{ClientId, UserId};
use crate::clock::Timestamp;
use crate::protocol::Scope;

/// A user's standing agreement with one application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Consent {
    /// Who agreed.
    pub user_id: UserId,
    /// With whom.
    pub client_id: ClientId,
    /// To what: everything that was ever agreed to and not withdrawn.
    pub scope: Scope,
    /// When last.
    pub given_at: Timestamp,
}
