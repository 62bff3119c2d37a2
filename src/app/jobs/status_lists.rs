//! Clears the bits of the status lists whose tokens have all expired.

use crate::ctx::SharedCtx;
use crate::error::Error;

pub(super) async fn prune(ctx: SharedCtx) -> Result<(), Error> {
    ctx.status_lists.prune(ctx.now());
    Ok(())
}
