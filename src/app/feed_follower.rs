//! Follows the change feed: applies the changes of all instances to this instance's memory, status lists and keyring,
//! and sends them to the subscribers of the event stream. `jobs/follow_feed.rs` calls it in a loop.

use super::jobs::replay::{self, remember_ends};
use super::jobs::schedule::BATCH;
use crate::broadcast::FeedProgress;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::event_stream;
use crate::sessions::status_indexes;
use crate::store::sql::feed::FeedPage;
use crate::store::{Change, StoreError};

/// An instance's position in the change feed.
#[derive(Debug, Clone, Copy)]
pub struct FeedFollower {
    after: i64,
}

impl FeedFollower {
    /// Starts at the newest change, and reads earlier session ends that still matter into memory.
    pub async fn begin(ctx: &Ctx) -> Result<Self, StoreError> {
        let as_of = ctx.now();
        let after = ctx.store.database.feed_head().await?;
        read_status_facts(ctx).await?;
        // Rows that were cached before the position was read may be outdated.
        ctx.store.memory.forget_rows();
        remember_ends(ctx).await?;
        ctx.store.memory.raise_global_not_before(ctx.store.database.global_not_before().await?);
        // The embedded ephemeral store may have lost its last writes to a power cut, and Redis any of its data.
        ctx.store.memory.doubt_rights();
        ctx.status_lists.vouch(as_of);
        Ok(Self { after })
    }

    /// Applies the changes since the last call, and writes tombstones where the ephemeral store needs them.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when a store does not answer; the next call goes on where this one stopped.
    pub async fn follow(&mut self, ctx: &Ctx) -> Result<(), Error> {
        let followed = self.read_feed(ctx).await;
        let written = replay::write_tombstones(ctx).await;
        followed.and(written)
    }

    async fn read_feed(&mut self, ctx: &Ctx) -> Result<(), Error> {
        let as_of = ctx.now();
        read_status_facts(ctx).await?;
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

/// Follows the feed once, for a command that reads the ephemeral store. The store answers no read before recent
/// session ends were written to it.
pub async fn catch_up(ctx: &Ctx) -> Result<(), Error> {
    FeedFollower::begin(ctx).await?.follow(ctx).await
}

/// Applies changes to the memory, as a commit does with its own, and to the status lists and the keyring.
async fn apply(ctx: &Ctx, changes: &[(i64, Change)]) -> Result<(), Error> {
    let mut keys_changed = false;
    let mut revoked = Vec::new();
    for (_, change) in changes {
        ctx.store.memory.apply(change);
        match change {
            Change::Keys => keys_changed = true,
            Change::Unknown => start_over(ctx).await?,
            Change::SessionEnded(session) => {
                revoked.extend(session.index.clone().map(|index| (index, session.ended.at)));
            }
            Change::IndexRevoked(retired) => revoked.push((retired.index.clone(), retired.at)),
            Change::User(_) | Change::Client(_) | Change::BrowserSession(_) | Change::GlobalNotBefore(_) => {}
        }
    }
    status_indexes::revoke(ctx, &revoked).await;
    if keys_changed {
        ctx.keys.reload().await?;
    }
    Ok(())
}

/// Drops what was cached from the database, and reads it again.
async fn start_over(ctx: &Ctx) -> Result<(), Error> {
    ctx.store.memory.forget_rows();
    remember_ends(ctx).await?;
    ctx.store.memory.raise_global_not_before(ctx.store.database.global_not_before().await?);
    ctx.keys.reload().await
}

/// Reads which status lists exist and how long their bits are needed.
async fn read_status_facts(ctx: &Ctx) -> Result<(), StoreError> {
    ctx.status_lists.learn(ctx.store.database.status_facts(ctx.now()).await?);
    Ok(())
}
