//! Follows the change feed: at once after a notification, and every second in case a notification was lost.

use std::time::Duration;

use super::schedule::log_failure;
use crate::app::feed_follower::FeedFollower;
use crate::ctx::SharedCtx;

/// The longest and the shortest time between two reads of the feed.
const LONGEST: Duration = Duration::from_secs(1);
const SHORTEST: Duration = Duration::from_millis(50);

/// Listens for the database's notifications of changes.
pub(super) async fn listen(ctx: SharedCtx) {
    ctx.store.database.listen().await;
}

pub(super) async fn follow(ctx: SharedCtx, mut follower: FeedFollower) {
    for warning in ctx.store.ephemeral.warnings().await {
        tracing::warn!("{warning}");
    }
    loop {
        tokio::time::sleep(SHORTEST).await;
        let _ = tokio::time::timeout(LONGEST.saturating_sub(SHORTEST), ctx.store.database.news()).await;
        log_failure("following the change feed", follower.follow(&ctx).await);
    }
}
