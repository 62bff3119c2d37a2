//! Deletes expired rows from the stores, and expired session ends from memory.

use std::time::Duration;

use crate::ctx::SharedCtx;
use crate::error::Error;

/// How long feed rows are kept. An instance that was away longer reads its memory again from the database.
const KEEP_FEED: Duration = Duration::from_hours(48);

pub(super) async fn prune(ctx: SharedCtx) -> Result<(), Error> {
    let now = ctx.now();
    ctx.store.memory.prune_ended(now, ctx.config.longest_refresh_lifetime());
    ctx.store.ephemeral.prune().await?;
    ctx.store.database.prune_feed(now.minus(KEEP_FEED)).await?;
    ctx.store.database.prune_revoked_indexes(ctx.status_lists.forgettable_before(now)).await?;
    ctx.store.database.prune_sessions(now.minus(ctx.config.sessions.keep.get())).await?;
    ctx.store.database.prune_browser_sessions(now.minus(ctx.config.sessions.keep.get())).await?;
    ctx.store.database.drop_status_lists(now).await?;
    ctx.store.database.prune_audit(now.minus(ctx.config.audit.keep.get())).await?;
    Ok(())
}
