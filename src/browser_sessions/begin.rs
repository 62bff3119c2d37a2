//! Begins browser sessions. Every sign-in gets a new cookie, so that a cookie planted beforehand is worthless.

use super::browser::Browser;
use super::end::end;
use super::find::{digest_of, find};
use crate::audit::{Actor, AuditEvent};
use crate::authentication::Authenticated;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{BrowserSession, BrowserSessionId, EndReason, Secret, User};
use crate::store::sql::admission::BeginOutcome;
use crate::store::sql::browser_sessions::Exchange;

/// A browser session that has just begun or been renewed.
#[derive(Debug)]
pub struct NewBrowserSession {
    pub browser_session: BrowserSession,
    pub user: User,
    /// The value of its cookie, which is stored nowhere.
    pub cookie: Secret,
}

/// Begins a browser session of an authenticated user. `None`: the user was disabled or changed in the meantime.
///
/// If the same user is signed in already, the browser session stays and its cookie is exchanged. If another user is,
/// that browser session ends.
pub async fn begin(
    ctx: &Ctx,
    browser: &Browser,
    authenticated: Authenticated,
) -> Result<Option<NewBrowserSession>, Error> {
    let previous = find(ctx, browser.session_cookie.as_ref()).await?;
    let cookie = Secret::random(&ctx.random);
    let own = previous.as_ref().filter(|previous| previous.user.id == authenticated.user().id);
    if let (Some(own), Some(previous_cookie)) = (own, &browser.session_cookie) {
        let (previous, new) = (digest_of(previous_cookie), digest_of(&cookie));
        let cookies = Exchange { previous: &previous, new: &new };
        if let Some(browser_session) = renew(ctx, &own.browser_session, cookies, &authenticated).await? {
            return Ok(Some(NewBrowserSession { browser_session, user: authenticated.into_user(), cookie }));
        }
    }
    let browser_session = new_session(ctx, browser, &authenticated);
    let user = authenticated.into_user();
    let event = AuditEvent::BrowserSessionBegan { browser_session: browser_session.id, user: user.id };
    let entry = ctx.audit(Actor::User(user.id), event);
    if ctx.store.database.begin_browser_session(&browser_session, &digest_of(&cookie), &user, &entry).await?
        == BeginOutcome::Refused
    {
        return Ok(None);
    }
    // A browser session of the same user is one that a concurrent request has renewed; it stays.
    if let Some(previous) = previous.filter(|previous| previous.user.id != user.id) {
        end(ctx, previous.browser_session.id, EndReason::Replaced, Actor::User(previous.user.id)).await?;
    }
    Ok(Some(NewBrowserSession { browser_session, user, cookie }))
}

/// Renews the browser session of the same user. `None`: it has ended, or a concurrent request has renewed it.
async fn renew(
    ctx: &Ctx,
    own: &BrowserSession,
    cookies: Exchange<'_>,
    authenticated: &Authenticated,
) -> Result<Option<BrowserSession>, Error> {
    let (user, at) = (authenticated.user(), authenticated.at());
    let renewed = BrowserSession {
        auth_time: at,
        last_used_at: at,
        amr: authenticated.amr(),
        acr: authenticated.acr(),
        ..own.clone()
    };
    let event = AuditEvent::BrowserSessionRenewed { browser_session: renewed.id, user: user.id };
    let entry = ctx.audit(Actor::User(user.id), event);
    match ctx.store.database.renew_browser_session(&renewed, cookies, user, &entry).await? {
        BeginOutcome::Begun => Ok(Some(renewed)),
        BeginOutcome::Refused => Ok(None),
    }
}

fn new_session(ctx: &Ctx, browser: &Browser, authenticated: &Authenticated) -> BrowserSession {
    let at = authenticated.at();
    BrowserSession {
        id: BrowserSessionId(ctx.random.uuid_at(at)),
        user_id: authenticated.user().id,
        user_agent: browser.user_agent.clone(),
        created_at: at,
        last_used_at: at,
        ends_at: at.plus(ctx.config.browser_sessions.absolute_lifetime.get()),
        auth_time: at,
        amr: authenticated.amr(),
        acr: authenticated.acr(),
        ended: None,
    }
}
