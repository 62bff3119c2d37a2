//! A browser session: a browser in which somebody is signed in. It ties together the sessions that applications begin
//! under it.

use serde::Serialize;

use super::{Acr, BrowserSessionId, Ended, UserAgent, UserId};
use crate::clock::Timestamp;

/// A browser's sign-in as the database keeps it. The cookie that proves it is kept as a digest and is not part of this
/// noun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BrowserSession {
    /// Never shown to applications.
    pub id: BrowserSessionId,
    /// Who is signed in.
    pub user_id: UserId,
    /// Where.
    pub user_agent: UserAgent,
    /// When the attempt began that made it: what is taken from the user after this moment is taken from it too.
    pub created_at: Timestamp,
    /// When it was last used, to within the reporting interval.
    pub last_used_at: Timestamp,
    /// It is over then, however often it was used.
    pub ends_at: Timestamp,
    /// When the user last proved who they are (`auth_time`).
    pub auth_time: Timestamp,
    /// How (`amr`, RFC 8176).
    pub amr: Vec<String>,
    /// How well (`acr`). Only ID tokens say it.
    #[serde(skip)]
    pub acr: Acr,
    /// Why it is over, if it is.
    pub ended: Option<Ended>,
}
