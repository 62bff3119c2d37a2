//! Maintains the keyring: reads what other instances have changed, and publishes, activates and retires keys when due.

use std::time::Duration;

use crate::ctx::{Ctx, SharedCtx};
use crate::error::Error;

/// Returns a quarter of the rotation period or of the JWKS max age, whichever is shorter, and at most a minute.
pub(super) fn interval(ctx: &Ctx) -> Duration {
    let shortest = ctx.config.keys.rotate_every.get().min(ctx.config.keys.jwks_max_age.get());
    (shortest / 4).clamp(Duration::from_secs(1), Duration::from_mins(1))
}

pub(super) async fn maintain(ctx: SharedCtx) -> Result<(), Error> {
    ctx.keys.reload().await?;
    ctx.keys.maintain().await
}
