//! The user agent of a sign-in, as shown in session lists.

use serde::{Deserialize, Serialize};

/// The browser or program of a session, as its request describes it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UserAgent {
    /// The `User-Agent` header, cut to 256 bytes.
    pub name: Option<String>,
    /// The peer's address, or the one that a trusted proxy reports.
    pub address: Option<String>,
}
