//! Sends heartbeats to the subscribers of the event stream: after each read of the feed, and also while the database
//! does not answer.

use std::time::Duration;

use super::schedule::log_failure;
use crate::ctx::SharedCtx;
use crate::event_stream;

/// How long to wait for the next read of the feed before a heartbeat is sent without one.
const LONGEST: Duration = Duration::from_secs(2);

/// The shortest time between two heartbeats, however often the feed is read.
const SHORTEST: Duration = Duration::from_millis(500);

pub(super) async fn send(ctx: SharedCtx) {
    loop {
        let _ = tokio::time::timeout(LONGEST, ctx.broadcast.moved()).await;
        tokio::time::sleep(SHORTEST).await;
        log_failure("sending a heartbeat to the subscribers of events", event_stream::give_heartbeat(&ctx));
    }
}
