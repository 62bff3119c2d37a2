//! Records in the database when sessions and browser sessions were last used.

use super::schedule::BATCH;
use crate::ctx::SharedCtx;
use crate::error::Error;

/// Writes the uses that this instance has seen since the last call.
///
/// # Errors
/// [`Error::Unavailable`] when the database does not answer; these uses are then not recorded.
pub async fn record(ctx: SharedCtx) -> Result<(), Error> {
    let used = ctx.store.memory.take_used();
    for batch in used.chunks(BATCH as usize) {
        ctx.store.database.record_session_use(batch).await?;
    }
    let used = ctx.store.memory.take_used_browser_sessions();
    for batch in used.chunks(BATCH as usize) {
        ctx.store.database.record_browser_session_use(batch).await?;
    }
    Ok(())
}
