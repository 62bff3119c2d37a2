//! Lists a user's browser sessions.

use super::find::last_use;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{BrowserSession, UserId};

/// Lists the user's browser sessions that are still valid, the last used first.
pub async fn of_user(ctx: &Ctx, user: UserId) -> Result<Vec<BrowserSession>, Error> {
    let (now, global) = (ctx.now(), ctx.store.memory.global_not_before());
    let mut browser_sessions = ctx.store.database.live_browser_sessions(user, now).await?;
    for browser_session in &mut browser_sessions {
        browser_session.last_used_at = last_use(ctx, browser_session);
    }
    let idle = ctx.config.browser_sessions.idle_lifetime.get();
    browser_sessions.retain(|browser_session| {
        browser_session.created_at >= global && now.since(browser_session.last_used_at) < idle
    });
    browser_sessions.sort_by_key(|browser_session| std::cmp::Reverse(browser_session.last_used_at));
    Ok(browser_sessions)
}
