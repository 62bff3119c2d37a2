//! The status index of access tokens (IETF Token Status List, draft-ietf-oauth-status-list-20): the bit that says
//! whether the tokens of one session, or a client's own tokens, were revoked. The database numbers status indexes
//! through all lists.

use std::time::Duration;

use super::ClientId;
use crate::clock::Timestamp;

/// How many status indexes one list has. It must never change, because the database's numbers depend on it.
pub const LIST_LENGTH: u64 = 1 << 17;

/// How long a list is valid: one minute. An instance that is cut off from the others for as long has none to serve.
pub const LIST_LIFETIME: Duration = Duration::from_mins(1);

/// How far the clocks of verifying services may be behind: one minute, like the verifier's leeway.
const LEEWAY: Duration = Duration::from_mins(1);

/// How long an access token may be accepted after its expiry: by a service whose clock is behind and that holds a list
/// from before the revocation. The bit must stay set for that long.
pub const TOLD_AFTER_EXPIRY: Duration = LEEWAY.saturating_add(LIST_LIFETIME);

/// A status index: a list and a position in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StatusIndex {
    pub list: u64,
    /// `idx`, the number of the bit (section 6.2).
    pub index: u32,
}

impl StatusIndex {
    /// Splits a status index as the database numbers it.
    #[must_use]
    pub fn of(status_index: i64) -> Self {
        let number = status_index.unsigned_abs();
        let index = u32::try_from(number % LIST_LENGTH).unwrap_or(u32::MAX);
        Self { list: number / LIST_LENGTH, index }
    }

    /// The number of lists that have begun when the first `leased` status indexes are leased.
    #[must_use]
    pub const fn lists_begun(leased: i64) -> u64 {
        leased.unsigned_abs().div_ceil(LIST_LENGTH)
    }
}

/// A status index and the client whose tokens it covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientStatusIndex {
    pub client_id: ClientId,
    /// As the database numbers it.
    pub status_index: i64,
}

/// A client's previous status index. The tokens that the client held there without a session were revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokedIndex {
    pub index: ClientStatusIndex,
    /// Tokens that were issued before this time are revoked.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_begins_where_the_one_before_ends() {
        assert_eq!(StatusIndex::of(0), StatusIndex { list: 0, index: 0 });
        assert_eq!(StatusIndex::of(131_071), StatusIndex { list: 0, index: 131_071 });
        assert_eq!(StatusIndex::of(131_072), StatusIndex { list: 1, index: 0 });
    }

    #[test]
    fn a_list_is_begun_with_its_first_index() {
        assert_eq!([0, 1, 131_072, 131_073].map(StatusIndex::lists_begun), [0, 1, 1, 2]);
    }
}
