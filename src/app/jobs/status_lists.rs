//! Clears the bits of the status lists whose tokens have all expired.

use crate::ctx::SharedCtx;
use crate::protocol::OAuthError;

pub(super) async fn prune(ctx: SharedCtx) -> Result<(), OAuthError> {
    ctx.status_lists.prune(ctx.now());
    Ok(())
}
