//! Authorization codes: 256 random bits, stored as a digest in the ephemeral store, valid for a minute by default.
//!
//! A code names the session that it will begin, and the database accepts a session identifier once. A code can
//! therefore be used once, on however many instances it arrives. If a store fails during the exchange, the code stays
//! valid for another try.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::request::Request;
use crate::browser_sessions::LiveBrowserSession;
use crate::clock::Timestamp;
use crate::ctx::Ctx;
use crate::digest;
use crate::error::{Error, Internal};
use crate::model::{Acr, BrowserSessionId, ClientId, Confirmation, Secret, SessionId, UserAgent, UserId};
use crate::protocol::{ClaimsRequest, CodeChallenge, Scope};

/// How long a code is remembered after its issue, so that a second use is recognised.
const REMEMBERED: Duration = Duration::from_mins(10);

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Code {
    /// The session that the code will begin.
    pub session: SessionId,
    /// The status index of that session, which is the same for every exchange of the code.
    pub status_index: i64,
    pub client_id: ClientId,
    pub redirect_uri: String,
    pub challenge: Option<CodeChallenge>,
    pub nonce: Option<String>,
    pub scope: Scope,
    pub audience: Vec<String>,
    pub claims: ClaimsRequest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<Confirmation>,
    pub user: UserId,
    pub browser_session: BrowserSessionId,
    pub browser_session_ends_at: Timestamp,
    pub auth_time: Timestamp,
    pub amr: Vec<String>,
    pub acr: Acr,
    pub user_agent: UserAgent,
    /// The time of issue. Whatever is taken from the user after this time is taken from the session too.
    pub issued_at: Timestamp,
}

impl Code {
    /// Returns whether the code can no longer begin its session.
    #[must_use]
    pub fn has_expired(&self, ctx: &Ctx) -> bool {
        ctx.now().since(self.issued_at) >= ctx.config.oauth.code_lifetime.get()
    }
}

/// Issues a code. It costs one round trip to the ephemeral store, and one to the database where a block of status
/// indexes has to be leased.
pub(super) async fn issue(
    ctx: &Ctx,
    request: &Request,
    signed_in: &LiveBrowserSession,
    user_agent: &UserAgent,
) -> Result<Secret, Error> {
    let issued_at = ctx.now();
    let status_index = ctx.store.status_index(issued_at).await?;
    let (browser_session, request) = (&signed_in.browser_session, request.clone());
    let stands_for = Code {
        session: SessionId(ctx.random.uuid_at(issued_at)),
        status_index,
        client_id: request.client_id,
        redirect_uri: request.return_to.redirect_uri().to_owned(),
        challenge: request.challenge,
        nonce: request.nonce,
        scope: request.scope,
        audience: request.audience,
        claims: request.claims,
        confirmation: request.confirmation,
        user: signed_in.user.id,
        browser_session: browser_session.id,
        browser_session_ends_at: browser_session.ends_at,
        auth_time: browser_session.auth_time,
        amr: browser_session.amr.clone(),
        acr: browser_session.acr,
        user_agent: user_agent.clone(),
        issued_at,
    };
    let text = serde_json::to_string(&stands_for).map_err(|error| Internal::new("a code cannot be written", error))?;
    let code = Secret::random(&ctx.random);
    ctx.store.ephemeral.put_once(&key(&code), &text, REMEMBERED).await?;
    Ok(code)
}

/// Reads a code, used or not. `None`: it is unknown or no longer remembered.
pub async fn read(ctx: &Ctx, code: &Secret) -> Result<Option<Code>, Error> {
    let Some(text) = ctx.store.ephemeral.peek(&key(code)).await? else { return Ok(None) };
    let code = serde_json::from_str(&text).map_err(|error| Internal::new("a code cannot be read", error))?;
    Ok(Some(code))
}

fn key(code: &Secret) -> String {
    format!("code:{}", URL_SAFE_NO_PAD.encode(digest::sha256(code.expose().as_bytes())))
}
