//! Serves one reader: first the changes in the database since the number that it came back with, then the frames of the
//! broadcast. It subscribes before it reads the database, so that there is no gap. It skips the frames that it has
//! already read there, so that there is no repeat.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;

use super::{event_of, frame, heartbeat};
use crate::broadcast::{FeedProgress, Frame, FrameKind, Subscription};
use crate::clock::Timestamp;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::protocol::scope;
use crate::store::StoreError;
use crate::store::sql::feed::FeedPage;
use crate::token_status::PresentedToken;
use crate::tokens::SecurityEvent;

const BATCH: u32 = 100;

/// The most changes that are read for a reader that comes back. Beyond that, reading the status lists again is less
/// work.
const FURTHEST_BEHIND: i64 = 1_000;

/// The longest that a reader may take to accept a frame.
const PATIENCE: Duration = Duration::from_secs(10);

const TIME_TO_CATCH_UP: Duration = Duration::from_mins(1);

/// Sets how long a reader waits before it reconnects, in milliseconds.
const OPENING: &[u8] = b"retry: 1000\n\n";

type FrameSink = mpsc::Sender<Arc<[u8]>>;

pub struct Subscriber {
    presented: PresentedToken,
    subscription: Subscription,
    number: i64,
    head: i64,
    /// Every change committed before this time has been read from the database.
    as_of: Timestamp,
}

#[derive(Debug)]
pub enum Disconnect {
    /// The reader closed the connection.
    Left,
    /// The reader does not accept frames as fast as they come.
    Slow,
    /// The access token has expired or was revoked.
    Unauthorized,
    ShutDown,
    /// The database does not answer, or an event cannot be signed.
    Failed(Error),
}

impl Disconnect {
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Slow => "slow",
            Self::Unauthorized => "unauthorized",
            Self::ShutDown => "shut_down",
            Self::Failed(_) => "failed",
        }
    }
}

impl From<StoreError> for Disconnect {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Error> for Disconnect {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Subscriber {
    /// Subscribes a reader that `presented` a token and has read everything up to the number `last`, or begins now. A
    /// `last` that is not a number counts as one that the feed no longer holds.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when all subscriptions are taken, or the database does not answer.
    pub async fn arrive(ctx: &Ctx, presented: PresentedToken, last: Option<&str>) -> Result<Self, Error> {
        let subscription =
            ctx.broadcast.subscribe().ok_or_else(|| Error::unavailable("a subscription for one more listener"))?;
        let as_of = ctx.now();
        let head = ctx.store.database.feed_head().await?;
        let number = last.map_or(head, |last| last.parse().unwrap_or(-1));
        Ok(Self { presented, subscription, number, head, as_of })
    }

    pub async fn listen(mut self, ctx: &Ctx, sink: &FrameSink) -> Disconnect {
        let shutdown = self.subscription.shutdown();
        tokio::select! {
            Err(disconnect) = self.hear(ctx, sink) => disconnect,
            () = shutdown => Disconnect::ShutDown,
            () = sink.closed() => Disconnect::Left,
        }
    }

    async fn hear(&mut self, ctx: &Ctx, sink: &FrameSink) -> Result<Infallible, Disconnect> {
        sink.send(Arc::from(OPENING)).await.map_err(|_| Disconnect::Left)?;
        timeout(TIME_TO_CATCH_UP, self.catch_up(ctx, sink)).await.map_err(|_| Disconnect::Slow)??;
        loop {
            let frame = self.subscription.next().await.ok_or(Disconnect::Slow)?;
            match frame.kind {
                FrameKind::StartOver => {}
                FrameKind::Event if frame.number > self.number => {}
                FrameKind::Event => continue,
                FrameKind::Heartbeat => {
                    self.authorize(ctx).await?;
                    // This reader has read more from the database than has been broadcast yet.
                    if frame.number < self.number {
                        self.give_heartbeat(ctx, sink).await?;
                        continue;
                    }
                }
            }
            self.pass(frame, sink).await?;
        }
    }

    /// Sends the changes after the reader's number, and a heartbeat for them.
    async fn catch_up(&mut self, ctx: &Ctx, sink: &FrameSink) -> Result<(), Disconnect> {
        if self.head.saturating_sub(self.number) > FURTHEST_BEHIND {
            self.start_over(ctx, self.head, sink).await?;
        }
        loop {
            let as_of = ctx.now();
            match ctx.store.database.feed_after(self.number, BATCH).await? {
                FeedPage::Behind(head) => self.start_over(ctx, head, sink).await?,
                FeedPage::Changes(changes, position) => {
                    for (number, change) in &changes {
                        if let Some(event) = event_of(change) {
                            self.pass(frame(ctx, *number, FrameKind::Event, &event)?, sink).await?;
                        }
                    }
                    self.number = position;
                    if changes.len() < BATCH as usize {
                        self.as_of = as_of;
                        return self.give_heartbeat(ctx, sink).await;
                    }
                }
            }
        }
    }

    async fn start_over(&mut self, ctx: &Ctx, number: i64, sink: &FrameSink) -> Result<(), Disconnect> {
        self.pass(frame(ctx, number, FrameKind::StartOver, &SecurityEvent::Resync)?, sink).await
    }

    async fn give_heartbeat(&mut self, ctx: &Ctx, sink: &FrameSink) -> Result<(), Disconnect> {
        let told = FeedProgress { number: self.number, as_of: self.as_of };
        self.pass(heartbeat(ctx, told)?, sink).await
    }

    async fn pass(&mut self, frame: Frame, sink: &FrameSink) -> Result<(), Disconnect> {
        let sent = timeout(PATIENCE, sink.send(frame.text)).await.map_err(|_| Disconnect::Slow)?;
        sent.map_err(|_| Disconnect::Left)?;
        self.number = frame.number;
        Ok(())
    }

    /// Checks the access token again. While the stores do not answer, only the token's own expiry counts.
    async fn authorize(&self, ctx: &Ctx) -> Result<(), Disconnect> {
        match self.presented.admit(ctx, &[scope::EVENTS]).await {
            Ok(_) | Err(Error::Unavailable(_)) => Ok(()),
            Err(Error::Internal(error)) => Err(Disconnect::Failed(error.into())),
            Err(_) => Err(Disconnect::Unauthorized),
        }
    }
}
