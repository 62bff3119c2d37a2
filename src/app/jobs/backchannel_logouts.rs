//! Delivers back-channel logouts: at once when this instance has ended a session, and every second for those that other
//! instances have queued or that are due for another try.

use std::time::Duration;

use super::schedule::log_failure;
use crate::ctx::SharedCtx;
use crate::logout::backchannel;

/// The longest time between two reads of the queue.
const EVERY: Duration = Duration::from_secs(1);

pub(super) async fn deliver(ctx: SharedCtx) {
    loop {
        log_failure("delivering back-channel logouts", backchannel::send_due(&ctx).await);
        let _ = tokio::time::timeout(EVERY, ctx.store.backchannel_due.notified()).await;
    }
}
