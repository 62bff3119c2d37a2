//! Ends browser sessions: the row first, after which no session can begin under it, then its sessions.

use crate::audit::{Actor, AuditEvent};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{BrowserSessionId, EndReason, Ended, SessionFilter, UserId};
use crate::sessions::{self, Receipt};

/// Ends a browser session and the sessions that do not outlive it. Back-channel logouts are queued for the sessions
/// that outlive it, too. `None`: there is no such browser session. A second call ends what an earlier one has left.
/// After an error, a repeated call continues.
pub async fn end(ctx: &Ctx, id: BrowserSessionId, reason: EndReason, actor: Actor) -> Result<Option<Receipt>, Error> {
    let Some(browser_session) = ctx.store.database.browser_session(id).await? else { return Ok(None) };
    let ended = Ended { at: ctx.now(), reason };
    let entry = ctx.audit(
        actor.clone(),
        AuditEvent::BrowserSessionEnded { browser_session: id, user: browser_session.user_id, reason },
    );
    let outliving = ctx.store.database.end_browser_session(id, ended, &entry).await?.unwrap_or_default();
    ctx.store.backchannel_due.notify_one();
    let under_it = SessionFilter { browser_session: Some(id), ..SessionFilter::default() };
    let receipt = sessions::end_matching(ctx, &under_it, reason, actor).await?;
    Ok(Some(Receipt { backchannel_logouts: receipt.backchannel_logouts + outliving, ..receipt }))
}

/// Ends a browser session of the user's own. One that has ended, or belongs to another user, is left alone.
pub async fn end_own(ctx: &Ctx, user: UserId, id: BrowserSessionId) -> Result<(), Error> {
    let own = ctx
        .store
        .database
        .browser_session(id)
        .await?
        .filter(|browser_session| browser_session.user_id == user && browser_session.ended.is_none());
    if own.is_some() {
        end(ctx, id, EndReason::SignedOut, Actor::User(user)).await?;
    }
    Ok(())
}

/// Ends every other live browser session of the user and returns their number.
pub async fn end_others(ctx: &Ctx, user: UserId, but: BrowserSessionId) -> Result<usize, Error> {
    let mut ended = 0;
    loop {
        let browser_sessions = ctx.store.database.live_browser_sessions(user, ctx.now()).await?;
        let before = ended;
        for browser_session in browser_sessions.iter().filter(|browser_session| browser_session.id != but) {
            end(ctx, browser_session.id, EndReason::SignedOut, Actor::User(user)).await?;
            ended += 1;
        }
        // The list is limited; there may be more.
        if ended == before {
            return Ok(ended);
        }
    }
}
