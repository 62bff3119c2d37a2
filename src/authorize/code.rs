//! Authorization codes: 256 random bits, kept as a digest in the ephemeral store, good for a minute.
//!
//! A code names the session that it will begin. The database has room for that session once, so a code is used once, on
//! however many instances it arrives, and a store that fails half-way leaves it good for another try.

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

/// How long a used code is remembered, so that its second use is recognised.
const REMEMBERED: Duration = Duration::from_mins(10);

/// What a code stands for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Code {
    /// The session that it will begin.
    pub session: SessionId,
    /// The status index of that session in the status lists: whoever exchanges the code, and however often, it is this
    /// one.
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
    /// When the browser session ends.
    pub browser_session_ends_at: Timestamp,
    pub auth_time: Timestamp,
    pub amr: Vec<String>,
    pub acr: Acr,
    pub user_agent: UserAgent,
    /// When it was issued: what is taken from the user after this moment is taken from its session too.
    pub issued_at: Timestamp,
}

impl Code {
    /// Whether it may still begin its session.
    #[must_use]
    pub fn has_expired(&self, ctx: &Ctx) -> bool {
        ctx.now().since(self.issued_at) >= ctx.config.oauth.code_lifetime.get()
    }
}

/// A new code. One trip to the ephemeral store, and one to the database where a block of status indexes has to be
/// leased.
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

/// What a code stands for, used or not. `None`: unknown, or long over.
///
/// # Errors
/// [`Error::Unavailable`] when the ephemeral store does not answer.
pub async fn read(ctx: &Ctx, code: &Secret) -> Result<Option<Code>, Error> {
    let Some(text) = ctx.store.ephemeral.peek(&key(code)).await? else { return Ok(None) };
    let code = serde_json::from_str(&text).map_err(|error| Internal::new("a code cannot be read", error))?;
    Ok(Some(code))
}

fn key(code: &Secret) -> String {
    format!("code:{}", URL_SAFE_NO_PAD.encode(digest::sha256(code.expose().as_bytes())))
}
