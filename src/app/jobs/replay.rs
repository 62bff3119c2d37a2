//! Writes tombstones that could not be written when their session ended, and all recent tombstones when the ephemeral
//! store may have lost some.

use super::schedule::BATCH;
use crate::clock::Timestamp;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::SessionId;
use crate::sessions::status_indexes;
use crate::store::StoreError;

pub(in crate::app) async fn write_tombstones(ctx: &Ctx) -> Result<(), Error> {
    let keep = ctx.config.longest_refresh_lifetime();
    if ctx.store.ephemeral.needs_replay().await? {
        remember_ends(ctx).await?;
        let ended = ctx.store.memory.ended();
        for batch in ended.chunks(BATCH as usize) {
            ctx.store.ephemeral.end(batch, keep).await?;
        }
        ctx.store.memory.forget_pending(&ended);
        ctx.store.ephemeral.replayed().await;
        ctx.store.memory.doubt_rights();
        tracing::info!(sessions = ended.len(), "the ephemeral store has been told of recent ends again");
        return Ok(());
    }
    let pending = ctx.store.memory.pending();
    if !pending.is_empty() {
        ctx.store.ephemeral.end(&pending, keep).await?;
        ctx.store.memory.forget_pending(&pending);
        tracing::info!(sessions = pending.len(), "pending tombstones were written");
    }
    Ok(())
}

/// Reads recent session ends from the database into memory and the status lists, and the revoked status indexes of
/// clients into the status lists.
pub(in crate::app) async fn remember_ends(ctx: &Ctx) -> Result<(), StoreError> {
    status_indexes::revoke_known(ctx).await?;
    // Access tokens may live longer than refresh tokens.
    let since = forgettable_before(ctx).min(ctx.status_lists.forgettable_before(ctx.now()));
    let mut after: Option<SessionId> = None;
    loop {
        let ends = ctx.store.database.sessions_ended_since(since, after, BATCH).await?;
        after = ends.last().map(|session| session.id);
        for session in &ends {
            ctx.store.memory.keep_ended(session.id, session.ended.at);
        }
        let is_last = ends.len() < BATCH as usize;
        let revoked = ends.into_iter().filter_map(|session| Some((session.index?, session.ended.at)));
        status_indexes::revoke(ctx, &revoked.collect::<Vec<_>>()).await;
        if is_last {
            return Ok(());
        }
    }
}

/// Returns the time before which session ends can be forgotten: every refresh token of those sessions has expired.
pub(super) fn forgettable_before(ctx: &Ctx) -> Timestamp {
    ctx.now().minus(ctx.config.longest_refresh_lifetime())
}
