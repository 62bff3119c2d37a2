//! The background jobs of one instance, one file a job. [`start`] lists them, and `schedule.rs` runs those that are due
//! at intervals. A failed job is logged and tried again. No request waits for a job.

pub mod backchannel_logouts;
pub mod follow_feed;
pub mod heartbeats;
pub mod keyring;
pub mod last_uses;
pub mod metrics;
pub mod refresh_claims;
pub mod replay;
pub mod retention;
pub mod schedule;
pub mod status_lists;

use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::task::JoinHandle;

use self::schedule::every;
use super::feed_follower::FeedFollower;
use crate::ctx::SharedCtx;

/// The running jobs. Dropping this stops them.
pub struct Jobs {
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Jobs {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

#[must_use]
pub fn start(ctx: &SharedCtx, follower: FeedFollower, metrics: PrometheusHandle) -> Jobs {
    let last_uses_every = ctx.config.sessions.last_used_every.get().max(Duration::from_secs(1));
    let tasks = vec![
        tokio::spawn(follow_feed::listen(ctx.clone())),
        tokio::spawn(follow_feed::follow(ctx.clone(), follower)),
        tokio::spawn(backchannel_logouts::deliver(ctx.clone())),
        tokio::spawn(heartbeats::send(ctx.clone())),
        tokio::spawn(metrics::fold(metrics)),
        every(ctx, "maintaining the keyring", keyring::interval(ctx), keyring::maintain),
        every(ctx, "refreshing the claims of sessions", Duration::from_secs(1), refresh_claims::where_in_doubt),
        every(ctx, "recording last uses of sessions", last_uses_every, last_uses::record),
        every(ctx, "removing expired rows", Duration::from_mins(10), retention::prune),
        every(ctx, "clearing bits of the status lists", Duration::from_mins(1), status_lists::prune),
    ];
    Jobs { tasks }
}
