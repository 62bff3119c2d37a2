//! Runs jobs at intervals, and logs those that fail.

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::ctx::SharedCtx;
use crate::error::Error;

/// How many rows a job reads or writes at a time.
pub(in crate::app) const BATCH: u32 = 1000;

/// Runs `job` at once, and again an interval after each run. `what` names it in the log.
pub(super) fn every<F, J>(ctx: &SharedCtx, what: &'static str, interval: Duration, job: J) -> JoinHandle<()>
where
    F: Future<Output = Result<(), Error>> + Send + 'static,
    J: Fn(SharedCtx) -> F + Send + 'static,
{
    let ctx = ctx.clone();
    tokio::spawn(async move {
        loop {
            log_failure(what, job(ctx.clone()).await);
            tokio::time::sleep(interval).await;
        }
    })
}

pub(super) fn log_failure(what: &'static str, result: Result<(), Error>) {
    if let Err(error) = result {
        tracing::warn!(error = %error, "{what} failed; it will be tried again");
    }
}
