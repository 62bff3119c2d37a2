//! Refreshes the claims of sessions whose user's rights changed, where the ephemeral store may have lost that: a store
//! that has lost writes may have fallen back to records with the rights of before.

use super::replay::forgettable_before;
use super::schedule::BATCH;
use crate::ctx::{Ctx, SharedCtx};
use crate::error::Error;
use crate::model::SessionId;
use crate::sessions;

/// Refreshes the claims of all sessions whose user's rights changed while a token of theirs could be alive, if there is
/// a doubt.
///
/// # Errors
/// [`Error::Unavailable`] when a store does not answer; the next call begins again.
pub async fn where_in_doubt(ctx: SharedCtx) -> Result<(), Error> {
    if !ctx.store.memory.take_doubt() {
        return Ok(());
    }
    // While the ephemeral store is away, the feed follower logs it.
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
