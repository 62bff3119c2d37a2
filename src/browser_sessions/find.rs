//! Finds the browser session of a cookie.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::ctx::Ctx;
use crate::digest;
use crate::error::Error;
use crate::gate;
use crate::model::{BrowserSession, CookieDigest, Secret, User};

/// A live browser session and its user.
#[derive(Debug, Clone)]
pub struct LiveBrowserSession {
    pub browser_session: Arc<BrowserSession>,
    pub user: Arc<User>,
}

/// Finds the live browser session of a cookie, and its user. It needs no SQL where both are in memory.
pub async fn find(ctx: &Ctx, cookie: Option<&Secret>) -> Result<Option<LiveBrowserSession>, Error> {
    let Some(cookie) = cookie else { return Ok(None) };
    let digest = digest_of(cookie);
    let Some(mut browser_session) = ctx.store.browser_session(&digest).await? else { return Ok(None) };
    if is_idle(ctx, &browser_session) {
        // Another instance may have recorded a later use.
        match ctx.store.read_browser_session(&digest).await? {
            Some(fresh) if !is_idle(ctx, &fresh) => browser_session = fresh,
            _ => return Ok(None),
        }
    }
    let Some(user) = ctx.store.user(browser_session.user_id).await? else { return Ok(None) };
    if gate::browser_session_is_live(&user, &browser_session, ctx.store.memory.global_not_before(), ctx.now()).is_err()
    {
        return Ok(None);
    }
    ctx.store.memory.note_browser_session_use(browser_session.id, ctx.now());
    Ok(Some(LiveBrowserSession { browser_session, user }))
}

pub(super) fn digest_of(cookie: &Secret) -> CookieDigest {
    CookieDigest::of(digest::sha256(cookie.expose().as_bytes()))
}

fn is_idle(ctx: &Ctx, browser_session: &BrowserSession) -> bool {
    ctx.now().since(last_use(ctx, browser_session)) >= ctx.config.browser_sessions.idle_lifetime.get()
}

/// Returns when the browser session was last used, as far as this instance knows.
pub(super) fn last_use(ctx: &Ctx, browser_session: &BrowserSession) -> Timestamp {
    let noted = ctx.store.memory.browser_session_use(browser_session.id).unwrap_or_default();
    browser_session.last_used_at.max(browser_session.auth_time).max(noted)
}
