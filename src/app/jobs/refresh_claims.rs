//! Refreshes the claims of sessions after the ephemeral store may have lost writes: its records may then have fallen
//! back to outdated rights of the user.

use super::replay::forgettable_before;
use super::schedule::BATCH;
use crate::ctx::{Ctx, SharedCtx};
use crate::error::Error;
use crate::model::SessionId;
use crate::sessions;

/// Refreshes the claims of all sessions whose user's rights changed while a token of theirs could be alive. Does
/// nothing unless the ephemeral store may have lost writes.
///
/// # Errors
/// [`Error::Unavailable`] when a store does not answer; the next call starts over.
pub async fn where_in_doubt(ctx: SharedCtx) -> Result<(), Error> {
    if !ctx.store.memory.take_doubt() {
        return Ok(());
    }
    // The feed follower logs an ephemeral store that does not answer.
    if ctx.store.ephemeral.ping().await.is_err() {
        ctx.store.memory.doubt_rights();
        return Ok(());
    }
    let done = refresh_recent(&ctx).await;
    if done.is_err() {
        ctx.store.memory.doubt_rights();
    }
    done
}

async fn refresh_recent(ctx: &Ctx) -> Result<(), Error> {
    let since = forgettable_before(ctx);
    let mut after: Option<SessionId> = None;
    loop {
        let found = ctx.store.database.sessions_of_changed_users(since, ctx.now(), after, BATCH).await?;
        after = found.last().map(|(session, _)| *session);
        for (session, user) in &found {
            sessions::refresh_one(ctx, *session, *user).await?;
        }
        if found.len() < BATCH as usize {
            return Ok(());
        }
    }
}
