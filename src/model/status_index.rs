//! A status index in the status lists (IETF Token Status List, draft-ietf-oauth-status-list-20): the bit that says of
//! the access tokens of one session, or of one client's own, whether they were revoked. The database numbers status
//! indexes through all lists.

use std::time::Duration;

use super::ClientId;
use crate::clock::Timestamp;

/// How many status indexes one list has. It never changes: the database's numbers of status indexes count on it.
pub const LIST_LENGTH: u64 = 1 << 17;

/// How long a list is good: a minute. An instance that does not hear of the others for as long has none to serve.
pub const LIST_LIFETIME: Duration = Duration::from_mins(1);

/// The clocks of services that verify may be this far behind: a minute, as the verifier's leeway.
const LEEWAY: Duration = Duration::from_mins(1);

/// For how much longer than it lives an access token may be taken for good: by a service whose clock is behind, and
/// that holds a list of before it was revoked. For as long a status index must still tell of it.
pub const TOLD_AFTER_EXPIRY: Duration = LEEWAY.saturating_add(LIST_LIFETIME);

/// A status index: which list, and where in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StatusIndex {
    /// The number of the list.
    pub list: u64,
    /// `idx`, the number of the bit (section 6.2).
    pub index: u32,
}

impl StatusIndex {
    /// The status index that the database calls `status_index`.
    #[must_use]
    pub fn of(status_index: i64) -> Self {
        let number = status_index.unsigned_abs();
        let index = u32::try_from(number % LIST_LENGTH).unwrap_or(u32::MAX);
        Self { list: number / LIST_LENGTH, index }
    }

    /// How many lists have been begun when the first `leased` status indexes are leased.
    #[must_use]
    pub const fn lists_begun(leased: i64) -> u64 {
        leased.unsigned_abs().div_ceil(LIST_LENGTH)
    }
}

/// Whose tokens a status index tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientStatusIndex {
    /// The application that holds them.
    pub client_id: ClientId,
    /// The status index, as the database numbers it.
    pub status_index: i64,
}

/// A status index that was a client's: of tokens that it held without a session, and that were revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokedIndex {
    /// The status index, and who held it.
    pub index: ClientStatusIndex,
    /// Tokens that were issued before this moment are revoked.
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
