//! Where a person signed in from, as shown in session lists.

use serde::{Deserialize, Serialize};

/// The browser or program of a session, as far as its request tells.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UserAgent {
    /// The `User-Agent` header, cut to 256 bytes.
    pub name: Option<String>,
    /// The peer's address, or the one a trusted proxy names.
    pub address: Option<String>,
}
