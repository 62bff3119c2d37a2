//! One who listens: first what the database knows since the number that they came back with, then what the hub hands
//! out. The seat in the hub is taken before the database is read, so that there is no gap, and what was read is left
//! out of what is heard, so that there is no repeat.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;

use super::{event_of, line, sign_of_life};
use crate::clock::Timestamp;
use crate::ctx::Ctx;
use crate::hub::{Line, LineKind, Seat, Told};
use crate::introspection;
use crate::model::Secret;
use crate::protocol::{OAuthError, scope};
use crate::store::StoreError;
use crate::store::sql::feed::FeedPage;
use crate::tokens::SecurityEvent;

/// How many changes are read from the database at a time.
const BATCH: u32 = 100;

/// Whoever is further behind is not told what was before: to read the status lists again is less work.
const FURTHEST_BEHIND: i64 = 1_000;

/// How long a listener may take to take a line.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a listener may take to catch up.
const TIME_TO_CATCH_UP: Duration = Duration::from_mins(1);

/// How long a reader waits before it comes back, in milliseconds.
const OPENING: &[u8] = b"retry: 1000\n\n";

/// Lines on their way to a listener's connection.
type Outlet = mpsc::Sender<Arc<[u8]>>;

/// One who listens.
pub struct Listener {
    token: Secret,
    seat: Seat,
    number: i64,
    head: i64,
    /// What the database told is all that was committed before.
    as_of: Timestamp,
}

/// Why a listener hears no more.
#[derive(Debug)]
pub enum Ending {
    /// They have hung up.
    Left,
    /// They do not take what they are told as fast as it happens.
    Slow,
    /// Their access token has expired or was revoked.
    Unauthorized,
    /// Everybody is sent away.
    SentAway,
    /// The database does not answer, or nothing can be signed.
    Failed(OAuthError),
}

impl Ending {
    /// The word that log and metrics use.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Slow => "slow",
            Self::Unauthorized => "unauthorized",
            Self::SentAway => "sent_away",
            Self::Failed(_) => "failed",
        }
    }
}

impl From<StoreError> for Ending {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<OAuthError> for Ending {
    fn from(error: OAuthError) -> Self {
        Self::Failed(error)
    }
}

impl Listener {
    /// Lets the bearer of `token` in, who has heard everything up to the number `last`, or begins now. A number that is
    /// none stands for one that nobody knows any more.
    ///
    /// # Errors
    /// [`OAuthError::Unavailable`] when all seats are taken, or the database does not answer.
    pub async fn arrive(ctx: &Ctx, token: Secret, last: Option<&str>) -> Result<Self, OAuthError> {
        let seat = ctx.hub.listen().ok_or_else(|| OAuthError::unavailable("a seat for one more listener"))?;
        let as_of = ctx.now();
        let head = ctx.store.database.feed_head().await?;
        let number = last.map_or(head, |last| last.parse().unwrap_or(-1));
        Ok(Self { token, seat, number, head, as_of })
    }

    /// Tells everything that happens, until there is a reason to end.
    pub async fn listen(mut self, ctx: &Ctx, outlet: &Outlet) -> Ending {
        let farewell = self.seat.farewell();
        tokio::select! {
            Err(ending) = self.hear(ctx, outlet) => ending,
            () = farewell => Ending::SentAway,
            () = outlet.closed() => Ending::Left,
        }
    }

    async fn hear(&mut self, ctx: &Ctx, outlet: &Outlet) -> Result<Infallible, Ending> {
        outlet.send(Arc::from(OPENING)).await.map_err(|_| Ending::Left)?;
        timeout(TIME_TO_CATCH_UP, self.catch_up(ctx, outlet)).await.map_err(|_| Ending::Slow)??;
        loop {
            let line = self.seat.next().await.ok_or(Ending::Slow)?;
            match line.kind {
                LineKind::StartOver => {}
                LineKind::Event if line.number > self.number => {}
                LineKind::Event => continue,
                LineKind::SignOfLife => {
                    self.authorize(ctx).await?;
                    // The database has told this listener more than the hub knows yet.
                    if line.number < self.number {
                        self.give_sign_of_life(ctx, outlet).await?;
                        continue;
                    }
                }
            }
            self.pass(line, outlet).await?;
        }
    }

    /// Tells what the database knows after the listener's number, and how far that leads.
    async fn catch_up(&mut self, ctx: &Ctx, outlet: &Outlet) -> Result<(), Ending> {
        if self.head.saturating_sub(self.number) > FURTHEST_BEHIND {
            self.start_over(ctx, self.head, outlet).await?;
        }
        loop {
            let as_of = ctx.now();
            match ctx.store.database.feed_after(self.number, BATCH).await? {
                FeedPage::Behind(head) => self.start_over(ctx, head, outlet).await?,
                FeedPage::Changes(changes, position) => {
                    for (number, change) in &changes {
                        if let Some(event) = event_of(change) {
                            self.pass(line(ctx, *number, LineKind::Event, &event)?, outlet).await?;
                        }
                    }
                    self.number = position;
                    if changes.len() < BATCH as usize {
                        self.as_of = as_of;
                        return self.give_sign_of_life(ctx, outlet).await;
                    }
                }
            }
        }
    }

    async fn start_over(&mut self, ctx: &Ctx, number: i64, outlet: &Outlet) -> Result<(), Ending> {
        self.pass(line(ctx, number, LineKind::StartOver, &SecurityEvent::Resync)?, outlet).await
    }

    async fn give_sign_of_life(&mut self, ctx: &Ctx, outlet: &Outlet) -> Result<(), Ending> {
        let told = Told { number: self.number, as_of: self.as_of };
        self.pass(sign_of_life(ctx, told)?, outlet).await
    }

    async fn pass(&mut self, line: Line, outlet: &Outlet) -> Result<(), Ending> {
        let sent = timeout(PATIENCE, outlet.send(line.text)).await.map_err(|_| Ending::Slow)?;
        sent.map_err(|_| Ending::Left)?;
        self.number = line.number;
        Ok(())
    }

    /// Looks whether the bearer may still listen. While the stores do not answer, the token's own expiry is what
    /// counts.
    async fn authorize(&self, ctx: &Ctx) -> Result<(), Ending> {
        match introspection::admit(ctx, self.token.expose(), &[scope::EVENTS]).await {
            Ok(_) | Err(OAuthError::Unavailable(_)) => Ok(()),
            Err(OAuthError::Internal(error)) => Err(Ending::Failed(error.into())),
            Err(_) => Err(Ending::Unauthorized),
        }
    }
}
