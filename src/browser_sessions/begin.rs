//! How a browser session begins: at every sign-in with a new cookie, so that nobody can plant one beforehand.

use super::browser::Browser;
use super::end::end;
use super::find::{digest_of, find};
use crate::audit::{Actor, AuditEvent};
use crate::ctx::Ctx;
use crate::model::{BrowserSession, BrowserSessionId, EndReason, Secret, User};
use crate::protocol::OAuthError;
use crate::store::sql::admission::BeginOutcome;
use crate::store::sql::browser_sessions::Exchange;
use crate::users::{self, Attempt};

/// A browser session that has just begun, or been renewed.
#[derive(Debug)]
pub struct NewBrowserSession {
    /// The browser session.
    pub browser_session: BrowserSession,
    /// Who signed in.
    pub user: User,
    /// The value of its cookie; it is kept nowhere.
    pub cookie: Secret,
}

/// Signs somebody in in this browser. `None`: unknown, disabled and wrong look alike.
///
/// Where the same user is signed in already, the browser session stays and its cookie is exchanged. Where somebody else
/// is, their browser session ends.
///
/// # Errors
/// [`OAuthError::TooManyTries`]; [`OAuthError::Unavailable`] when a store or the hashing queue does not take it, and
/// then nobody was signed in.
pub async fn sign_in(
    ctx: &Ctx,
    browser: &Browser,
    identifier: &str,
    password: &Secret,
) -> Result<Option<NewBrowserSession>, OAuthError> {
    let previous = find(ctx, browser.session_cookie.as_ref()).await?;
    let attempt = Attempt { identifier, password, address: browser.user_agent.address.as_deref() };
    let Some(signed_in) = users::sign_in(ctx, attempt).await? else { return Ok(None) };
    let amr = signed_in.amr();
    let cookie = Secret::random(&ctx.random);
    let (at, user) = (signed_in.at, signed_in.user);
    if let (Some(previous), Some(previous_cookie)) = (&previous, &browser.session_cookie)
        && previous.user.id == user.id
    {
        let browser_session =
            BrowserSession { auth_time: at, last_used_at: at, amr: amr.clone(), ..(*previous.browser_session).clone() };
        let entry = ctx.audit(
            Actor::User(user.id),
            AuditEvent::BrowserSessionRenewed { browser_session: browser_session.id, user: user.id },
        );
        let (previous, new) = (digest_of(previous_cookie), digest_of(&cookie));
        let cookies = Exchange { previous: &previous, new: &new };
        if ctx.store.database.renew_browser_session(&browser_session, cookies, &user, &entry).await?
            == BeginOutcome::Begun
        {
            return Ok(Some(NewBrowserSession { browser_session, user, cookie }));
        }
    }
    let browser_session = BrowserSession {
        id: BrowserSessionId(ctx.random.uuid_at(at)),
        user_id: user.id,
        user_agent: browser.user_agent.clone(),
        created_at: at,
        last_used_at: at,
        ends_at: at.plus(ctx.config.browser_sessions.absolute_lifetime.get()),
        auth_time: at,
        amr,
        ended: None,
    };
    let entry = ctx.audit(
        Actor::User(user.id),
        AuditEvent::BrowserSessionBegan { browser_session: browser_session.id, user: user.id },
    );
    if ctx.store.database.begin_browser_session(&browser_session, &digest_of(&cookie), &user, &entry).await?
        == BeginOutcome::Refused
    {
        return Ok(None);
    }
    // The same person's was renewed by another click meanwhile, and is not in their way.
    if let Some(previous) = previous.filter(|previous| previous.user.id != user.id) {
        end(ctx, previous.browser_session.id, EndReason::Replaced, Actor::User(previous.user.id)).await?;
    }
    Ok(Some(NewBrowserSession { browser_session, user, cookie }))
}
