//! How a login ends: its row first, after which no session can begin under it, then its sessions.

use crate::audit::{Actor, AuditEvent};
use crate::ctx::Ctx;
use crate::model::{EndReason, Ended, LoginId, SessionFilter, UserId};
use crate::protocol::OAuthError;
use crate::sessions::{self, Receipt};

/// Ends a login and the sessions that do not outlive it; the applications of those that do are told as well. `None`:
/// there is no such login. Ending it again ends what an earlier call has left.
///
/// # Errors
/// [`OAuthError::Unavailable`] when the database does not answer; calling again goes on.
pub async fn end(ctx: &Ctx, id: LoginId, reason: EndReason, actor: Actor) -> Result<Option<Receipt>, OAuthError> {
    let Some(login) = ctx.store.database.login(id).await? else { return Ok(None) };
    let ended = Ended { at: ctx.now(), reason };
    let entry = ctx.audit(actor.clone(), AuditEvent::LoginEnded { login: id, user: login.user_id, reason });
    let outliving = ctx.store.database.end_login(id, ended, &entry).await?.unwrap_or_default();
    ctx.store.memory.forget_login(id);
    ctx.store.notices.notify_one();
    let under_it = SessionFilter { login: Some(id), ..SessionFilter::default() };
    let receipt = sessions::end_matching(ctx, &under_it, reason, actor).await?;
    Ok(Some(Receipt { logout_notices: receipt.logout_notices + outliving, ..receipt }))
}

/// Ends a login of the user's own. One that was ended before, or is somebody else's, is left alone.
///
/// # Errors
/// As [`end`].
pub async fn end_own(ctx: &Ctx, user: UserId, id: LoginId) -> Result<(), OAuthError> {
    let own = ctx.store.database.login(id).await?.filter(|login| login.user_id == user && login.ended.is_none());
    if own.is_some() {
        end(ctx, id, EndReason::SignedOut, Actor::User(user)).await?;
    }
    Ok(())
}

/// Ends every other login of the user that is live; says how many.
///
/// # Errors
/// As [`end`].
pub async fn end_others(ctx: &Ctx, user: UserId, but: LoginId) -> Result<usize, OAuthError> {
    let mut ended = 0;
    loop {
        let logins = ctx.store.database.live_logins(user, ctx.now()).await?;
        let before = ended;
        for login in logins.iter().filter(|login| login.id != but) {
            end(ctx, login.id, EndReason::SignedOut, Actor::User(user)).await?;
            ended += 1;
        }
        // There may be more than are listed at a time.
        if ended == before {
            return Ok(ended);
        }
    }
}
