//! A browser session: a browser in which a user is signed in. It groups the sessions that applications begin under it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use super::{Acr, BrowserSessionId, Ended, UserAgent, UserId};
use crate::clock::Timestamp;

/// A browser session as the database stores it. The cookie that proves it is stored as a digest and is not part of
/// this type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BrowserSession {
    /// Never shown to applications.
    pub id: BrowserSessionId,
    pub user_id: UserId,
    pub user_agent: UserAgent,
    /// When the sign-in attempt began. Whatever revokes the user's rights after this time covers this browser session
    /// too.
    pub created_at: Timestamp,
    /// When it was last used, to within the reporting interval.
    pub last_used_at: Timestamp,
    /// The absolute end, however often it is used.
    pub ends_at: Timestamp,
    /// When the user last authenticated (`auth_time`).
    pub auth_time: Timestamp,
    /// Authentication methods (`amr`, RFC 8176).
    pub amr: Vec<String>,
    /// Authentication context class (`acr`). Only ID tokens carry it.
    #[serde(skip)]
    pub acr: Acr,
    pub ended: Option<Ended>,
}

/// The digest of a browser session's cookie, in base64url.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CookieDigest(String);

impl CookieDigest {
    #[must_use]
    pub fn of(digest: [u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(digest))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
