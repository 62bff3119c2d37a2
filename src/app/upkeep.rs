//! What happens in the background: the change feed is followed, ends are written again where the ephemeral store may
//! have lost them, keys are maintained, what has expired is removed.

use std::future::Future;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::task::JoinHandle;

use crate::broadcast::FeedProgress;
use crate::clock::Timestamp;
use crate::ctx::{Ctx, SharedCtx};
use crate::error::Error;
use crate::event_stream;
use crate::logout::backchannel;
use crate::model::SessionId;
use crate::sessions::{self, status_indexes};
use crate::store::StoreError;
use crate::store::sql::feed::{Change, FeedPage};

/// How often the change feed is read, at the least, and at the most.
const FOLLOW_EVERY: Duration = Duration::from_secs(1);
const FOLLOW_APART: Duration = Duration::from_millis(50);

/// How often those who listen to security events get a heartbeat, at the least. Mostly each time the feed was read.
const SIGN_OF_LIFE_EVERY: Duration = Duration::from_secs(2);

/// How often they get one at the most, however often the feed is read.
const SIGN_OF_LIFE_APART: Duration = Duration::from_millis(500);

/// How often the outbox is looked into, at the least.
const SEND_EVERY: Duration = Duration::from_secs(1);

/// How often the samples of metrics are folded together.
const FOLD_METRICS_EVERY: Duration = Duration::from_secs(1);

/// Feed rows are kept this long; an instance that was away longer drops its memory.
const KEEP_FEED: Duration = Duration::from_hours(48);

/// How many rows are read or written at a time.
const BATCH: u32 = 1000;

/// An instance's position in the change feed.
#[derive(Debug, Clone, Copy)]
pub struct Follower {
    after: i64,
}

impl Follower {
    /// Begins at the newest change, and reads into memory what came before: the ends that still matter.
    ///
    /// # Errors
    /// [`StoreError`] when the database does not answer.
    pub async fn begin(ctx: &Ctx) -> Result<Self, StoreError> {
        let as_of = ctx.now();
        let after = ctx.store.database.feed_head().await?;
        learn_of_status(ctx).await?;
        // What was read before this moment may have changed since.
        ctx.store.memory.forget_rows();
        remember_ends(ctx).await?;
        ctx.store.memory.raise_global_not_before(ctx.store.database.global_not_before().await?);
        // The embedded ephemeral store may have lost its last writes to a power cut, and Redis anything.
        ctx.store.memory.doubt_rights();
        ctx.status_lists.vouch(as_of);
        Ok(Self { after })
    }

    /// Reads what has changed since the last call, and brings the ephemeral store up to date where it asks for it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when a store does not answer; the next call goes on where this one stopped.
    pub async fn follow(&mut self, ctx: &Ctx) -> Result<(), Error> {
        let followed = self.read_feed(ctx).await;
        let written = write_tombstones(ctx).await;
        followed.and(written)
    }

    async fn read_feed(&mut self, ctx: &Ctx) -> Result<(), Error> {
        let as_of = ctx.now();
        learn_of_status(ctx).await?;
        loop {
            match ctx.store.database.feed_after(self.after, BATCH).await? {
                FeedPage::Changes(changes, position) => {
                    apply(ctx, &changes).await?;
                    self.after = position;
                    event_stream::tell(ctx, &changes).await?;
                    if changes.len() < BATCH as usize {
                        ctx.status_lists.vouch(as_of);
                        ctx.broadcast.note(FeedProgress { number: position, as_of });
                        return Ok(());
                    }
                }
                FeedPage::Behind(position) => {
                    tracing::warn!("the change feed was pruned before it was read; starting over");
                    start_over(ctx).await?;
                    self.after = position;
                    event_stream::send_start_over(ctx, position)?;
                }
            }
        }
    }
}

async fn apply(ctx: &Ctx, changes: &[(i64, Change)]) -> Result<(), Error> {
    let mut keys_changed = false;
    let mut revoked = Vec::new();
    for (_, change) in changes {
        match change {
            Change::User(user) => ctx.store.memory.forget_user(*user),
            Change::BrowserSession(browser_session) => ctx.store.memory.forget_browser_session(*browser_session),
            Change::Client(client) => ctx.store.memory.forget_client(client),
            Change::Keys => keys_changed = true,
            Change::Unknown => start_over(ctx).await?,
            Change::SessionEnded(session) => {
                ctx.store.memory.keep_ended(session.id, session.ended.at);
                // The instance that ended it may have died before it wrote the tombstone. Writing it again changes
                // nothing.
                ctx.store.memory.keep_pending(&[session.id]);
                revoked.extend(session.index.clone().map(|index| (index, session.ended.at)));
            }
            Change::IndexRevoked(retired) => {
                ctx.store.memory.forget_client(&retired.index.client_id);
                revoked.push((retired.index.clone(), retired.at));
            }
            Change::GlobalNotBefore => {
                ctx.store.memory.raise_global_not_before(ctx.store.database.global_not_before().await?)
            }
        }
    }
    status_indexes::revoke(ctx, &revoked).await;
    if keys_changed {
        ctx.keys.reload().await?;
    }
    Ok(())
}

/// Does once what an instance does all the time, for a command that looks into the ephemeral store: until it has been
/// told of recent ends, the ephemeral store lets nobody look.
///
/// # Errors
/// [`Error::Unavailable`] when a store does not answer.
pub async fn catch_up(ctx: &Ctx) -> Result<(), Error> {
    Follower::begin(ctx).await?.follow(ctx).await
}

/// Forgets what was remembered of the database, and reads it again.
async fn start_over(ctx: &Ctx) -> Result<(), Error> {
    ctx.store.memory.forget_rows();
    remember_ends(ctx).await?;
    ctx.store.memory.raise_global_not_before(ctx.store.database.global_not_before().await?);
    ctx.keys.reload().await
}

/// Reads how far the status lists go and how long their bits are needed.
async fn learn_of_status(ctx: &Ctx) -> Result<(), StoreError> {
    ctx.status_lists.learn(ctx.store.database.status_facts(ctx.now()).await?);
    Ok(())
}

/// Reads the ends of the last refresh lifetime from the database into memory and into the status lists, and the
/// positions that clients have had into the latter.
async fn remember_ends(ctx: &Ctx) -> Result<(), StoreError> {
    status_indexes::revoke_known(ctx).await?;
    // Access tokens may live longer than refresh tokens.
    let since = forgettable_before(ctx).min(ctx.status_lists.forgettable_before(ctx.now()));
    let mut after: Option<SessionId> = None;
    loop {
        let ends = ctx.store.database.sessions_ended_since(since, after, BATCH).await?;
        after = ends.last().map(|session| session.id);
        for session in &ends {
            ctx.store.memory.keep_ended(session.id, session.ended.at);
        }
        let is_last = ends.len() < BATCH as usize;
        let revoked = ends.into_iter().filter_map(|session| Some((session.index?, session.ended.at)));
        status_indexes::revoke(ctx, &revoked.collect::<Vec<_>>()).await;
        if is_last {
            return Ok(());
        }
    }
}

/// Writes the tombstones that are pending; all recent ones where the ephemeral store may have lost some.
async fn write_tombstones(ctx: &Ctx) -> Result<(), Error> {
    let keep = ctx.config.longest_refresh_lifetime();
    if ctx.store.ephemeral.needs_replay().await? {
        remember_ends(ctx).await?;
        let ended = ctx.store.memory.ended();
        for batch in ended.chunks(BATCH as usize) {
            ctx.store.ephemeral.end(batch, keep).await?;
        }
        ctx.store.memory.forget_pending(&ended);
        ctx.store.ephemeral.replayed().await;
        ctx.store.memory.doubt_rights();
        tracing::info!(sessions = ended.len(), "the ephemeral store has been told of recent ends again");
        return Ok(());
    }
    let pending = ctx.store.memory.pending();
    if !pending.is_empty() {
        ctx.store.ephemeral.end(&pending, keep).await?;
        ctx.store.memory.forget_pending(&pending);
        tracing::info!(sessions = pending.len(), "pending tombstones were written");
    }
    Ok(())
}

/// The moment from which an end must be remembered: none of the session's tokens outlives it.
fn forgettable_before(ctx: &Ctx) -> Timestamp {
    ctx.now().minus(ctx.config.longest_refresh_lifetime())
}

/// The background work of one instance. It stops when this is dropped.
pub struct Upkeep {
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Starts everything that goes on in the background.
#[must_use]
pub fn start(ctx: &SharedCtx, follower: Follower, metrics: PrometheusHandle) -> Upkeep {
    let noting = ctx.config.sessions.last_used_every.get().max(Duration::from_secs(1));
    let tasks = vec![
        listen(ctx.clone()),
        follow_always(ctx.clone(), follower),
        send_notices(ctx.clone()),
        give_heartbeats(ctx.clone()),
        every(ctx, "maintaining the keyring", keyring_interval(ctx), maintain_keyring),
        every(ctx, "bringing users' rights into their sessions", FOLLOW_EVERY, refresh_claims_where_in_doubt),
        every(ctx, "noting when sessions were used", noting, note_uses),
        every(ctx, "removing what has expired", Duration::from_mins(10), prune),
        every(ctx, "forgetting revocations of tokens that have expired", Duration::from_mins(1), prune_status_lists),
        fold_metrics(metrics),
    ];
    Upkeep { tasks }
}

/// Folds samples into histograms; without it they would pile up until somebody reads the metrics.
fn fold_metrics(metrics: PrometheusHandle) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(FOLD_METRICS_EVERY).await;
            metrics.run_upkeep();
        }
    })
}

/// Hears when other instances have changed something.
fn listen(ctx: SharedCtx) -> JoinHandle<()> {
    tokio::spawn(async move { ctx.store.database.listen().await })
}

/// At once when something has changed, and every second for what was not heard.
fn follow_always(following: SharedCtx, mut follower: Follower) -> JoinHandle<()> {
    tokio::spawn(async move {
        for warning in following.store.ephemeral.warnings().await {
            tracing::warn!("{warning}");
        }
        loop {
            tokio::time::sleep(FOLLOW_APART).await;
            let _ =
                tokio::time::timeout(FOLLOW_EVERY.saturating_sub(FOLLOW_APART), following.store.database.news()).await;
            log_failure("following the change feed", follower.follow(&following).await);
        }
    })
}

/// At once when this instance has ended something, and for what others have ended and what is tried again every second.
fn send_notices(ctx: SharedCtx) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            log_failure("telling applications of sign-outs", backchannel::send_due(&ctx).await);
            let _ = tokio::time::timeout(SEND_EVERY, ctx.store.backchannel_due.notified()).await;
        }
    })
}

/// At once when the feed was read, and also while the database does not answer.
fn give_heartbeats(ctx: SharedCtx) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            let _ = tokio::time::timeout(SIGN_OF_LIFE_EVERY, ctx.broadcast.moved()).await;
            tokio::time::sleep(SIGN_OF_LIFE_APART).await;
            log_failure(
                "giving a heartbeat to those who listen to security events",
                event_stream::give_heartbeat(&ctx),
            );
        }
    })
}

/// Often enough that a short rotation is not late, and at least every minute.
fn keyring_interval(ctx: &Ctx) -> Duration {
    let shortest = ctx.config.keys.rotate_every.get().min(ctx.config.keys.jwks_max_age.get());
    (shortest / 4).clamp(Duration::from_secs(1), Duration::from_mins(1))
}

fn every<F, W>(ctx: &SharedCtx, what: &'static str, interval: Duration, work: W) -> JoinHandle<()>
where
    F: Future<Output = Result<(), Error>> + Send + 'static,
    W: Fn(SharedCtx) -> F + Send + 'static,
{
    let ctx = ctx.clone();
    tokio::spawn(async move {
        loop {
            log_failure(what, work(ctx.clone()).await);
            tokio::time::sleep(interval).await;
        }
    })
}

fn log_failure(what: &'static str, result: Result<(), Error>) {
    if let Err(error) = result {
        tracing::warn!(error = %error, "{what} failed; it will be tried again");
    }
}

async fn maintain_keyring(ctx: SharedCtx) -> Result<(), Error> {
    ctx.keys.reload().await?;
    ctx.keys.maintain().await
}

/// An ephemeral store that has lost writes may have fallen back to records with the rights that users had before:
/// brings those up of users whose rights changed while a token could be alive.
///
/// # Errors
/// [`Error::Unavailable`] when a store does not answer; the next call begins again.
pub async fn refresh_claims_where_in_doubt(ctx: SharedCtx) -> Result<(), Error> {
    if !ctx.store.memory.take_doubt() {
        return Ok(());
    }
    // While the ephemeral store is away, whoever follows the feed complains of it.
    if ctx.store.ephemeral.ping().await.is_err() {
        ctx.store.memory.doubt_rights();
        return Ok(());
    }
    let done = refresh_recent_claims(&ctx).await;
    if done.is_err() {
        ctx.store.memory.doubt_rights();
    }
    done
}

async fn refresh_recent_claims(ctx: &Ctx) -> Result<(), Error> {
    let since = forgettable_before(ctx);
    let mut after: Option<SessionId> = None;
    loop {
        let found = ctx.store.database.sessions_of_changed_users(since, ctx.now(), after, BATCH).await?;
        after = found.last().map(|(session, _)| *session);
        for (session, user) in &found {
            sessions::refresh_one(ctx, *session, *user).await?;
        }
        if found.len() < BATCH as usize {
            return Ok(());
        }
    }
}

/// Writes to the database when sessions and browser sessions were last used.
///
/// # Errors
/// [`Error::Unavailable`] when the database does not answer; these uses are then not noted.
pub async fn note_uses(ctx: SharedCtx) -> Result<(), Error> {
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

async fn prune_status_lists(ctx: SharedCtx) -> Result<(), Error> {
    ctx.status_lists.prune(ctx.now());
    Ok(())
}

async fn prune(ctx: SharedCtx) -> Result<(), Error> {
    ctx.store.memory.prune_ended(ctx.now(), ctx.config.longest_refresh_lifetime());
    ctx.store.ephemeral.prune().await?;
    ctx.store.database.prune_feed(ctx.now().minus(KEEP_FEED)).await?;
    ctx.store.database.prune_revoked_indexes(ctx.status_lists.forgettable_before(ctx.now())).await?;
    ctx.store.database.prune_sessions(ctx.now().minus(ctx.config.sessions.keep.get())).await?;
    ctx.store.database.prune_browser_sessions(ctx.now().minus(ctx.config.sessions.keep.get())).await?;
    ctx.store.database.drop_status_lists(ctx.now()).await?;
    ctx.store.database.prune_audit(ctx.now().minus(ctx.config.audit.keep.get())).await?;
    Ok(())
}
