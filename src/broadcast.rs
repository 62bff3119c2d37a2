//! Frames on their way from the feed follower to the subscribers of the event stream. A frame is signed and written
//! once and shared by all subscribers of this instance. `event_stream` says what frames hold; nothing here knows.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, broadcast, watch};

use crate::clock::{Stopwatch, Timestamp};

/// How many subscriptions one instance has. Each holds a connection and a few pages of memory.
pub const MAX_SUBSCRIPTIONS: usize = 1000;

/// How many frames a subscriber may fall behind the others before it is disconnected.
const BACKLOG: usize = 1024;

/// What goes to every subscriber.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The number of the last change that a subscriber knows of once it has read this frame and all before.
    pub number: i64,
    /// How a subscriber treats it.
    pub kind: FrameKind,
    /// The bytes that are sent.
    pub text: Arc<[u8]>,
}

/// How a subscriber treats a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameKind {
    /// A change, under its own number in the feed.
    Event,
    /// Every event up to its number has been sent.
    Heartbeat,
    /// What was sent before no longer counts, and this number may be smaller.
    StartOver,
}

/// How far the change feed has been broadcast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedProgress {
    /// The number of the last change.
    pub number: i64,
    /// Every change that was committed before this moment is among them.
    pub as_of: Timestamp,
}

/// Sends frames to every subscriber of this instance.
pub struct Broadcast {
    frames: broadcast::Sender<Frame>,
    subscriptions: Arc<Semaphore>,
    shutdown: watch::Sender<()>,
    progress: Mutex<Option<FeedProgress>>,
    pace: Mutex<Pace>,
    moved: Notify,
}

/// How many events were sent within the last second, and the number up to which events were left out.
#[derive(Debug, Clone, Copy)]
struct Pace {
    since: Stopwatch,
    sent: usize,
    backlog: Option<i64>,
}

/// One subscription. Dropping it frees it for another subscriber.
pub struct Subscription {
    frames: broadcast::Receiver<Frame>,
    shutdown: watch::Receiver<()>,
    _permit: OwnedSemaphorePermit,
}

impl Default for Broadcast {
    fn default() -> Self {
        Self {
            frames: broadcast::Sender::new(BACKLOG),
            subscriptions: Arc::new(Semaphore::new(MAX_SUBSCRIPTIONS)),
            shutdown: watch::Sender::new(()),
            progress: Mutex::new(None),
            pace: Mutex::new(Pace { since: Stopwatch::start(), sent: 0, backlog: None }),
            moved: Notify::new(),
        }
    }
}

impl Broadcast {
    /// Subscribes to every frame from now on. `None` when all subscriptions are taken or the broadcast is closed.
    #[must_use]
    pub fn subscribe(&self) -> Option<Subscription> {
        // Before the permit is asked for: a broadcast that closes between the two is then noticed.
        let shutdown = self.shutdown.subscribe();
        let permit = Arc::clone(&self.subscriptions).try_acquire_owned().ok()?;
        Some(Subscription { frames: self.frames.subscribe(), shutdown, _permit: permit })
    }

    /// Whether there is a subscriber.
    #[must_use]
    pub fn has_subscribers(&self) -> bool {
        self.frames.receiver_count() > 0
    }

    /// Sends a frame to every subscriber.
    pub fn send(&self, frame: Frame) {
        // An error says that there is no subscriber.
        drop(self.frames.send(frame));
    }

    /// Reserves room to send so many events one by one, of at most `most_a_second`; says whether there was room. There
    /// is none as long as there is a [backlog](Self::set_backlog).
    #[must_use]
    pub fn reserve(&self, events: usize, most_a_second: usize) -> bool {
        let mut pace = lock(&self.pace);
        if pace.since.elapsed() >= Duration::from_secs(1) {
            (pace.since, pace.sent) = (Stopwatch::start(), 0);
        }
        pace.sent = pace.sent.saturating_add(events);
        pace.sent <= most_a_second && pace.backlog.is_none()
    }

    /// Notes that events up to this number were not sent one by one.
    pub fn set_backlog(&self, number: i64) {
        lock(&self.pace).backlog = Some(number);
    }

    /// The number up to which events were left out.
    #[must_use]
    pub fn backlog(&self) -> Option<i64> {
        lock(&self.pace).backlog
    }

    /// Notes that subscribers were told to read the lists again for events up to this number.
    pub fn clear_backlog(&self, number: i64) {
        let mut pace = lock(&self.pace);
        pace.backlog = pace.backlog.filter(|backlog| *backlog != number);
    }

    /// Notes how far the feed has been broadcast.
    pub fn note(&self, progress: FeedProgress) {
        *lock(&self.progress) = Some(progress);
        self.moved.notify_one();
    }

    /// Forgets the progress: the numbers of the feed start over.
    pub fn forget(&self) {
        *lock(&self.progress) = None;
    }

    /// How far the feed has been broadcast; `None` before it was read.
    #[must_use]
    pub fn progress(&self) -> Option<FeedProgress> {
        *lock(&self.progress)
    }

    /// Waits until [`Broadcast::note`] is called.
    pub async fn moved(&self) {
        self.moved.notified().await;
    }

    /// Disconnects every subscriber: they come back and read from the database what they have missed.
    pub fn disconnect_all(&self) {
        self.shutdown.send_replace(());
    }

    /// Disconnects every subscriber and accepts no more.
    pub fn close(&self) {
        self.subscriptions.close();
        self.disconnect_all();
    }
}

/// A panic while one was held cannot leave it half changed: each change is a few assignments.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Subscription {
    /// The next frame; `None` when this subscriber has fallen too far behind.
    pub async fn next(&mut self) -> Option<Frame> {
        self.frames.recv().await.ok()
    }

    /// Waits until every subscriber is disconnected.
    pub fn shutdown(&self) -> impl Future<Output = ()> + use<> {
        let mut shutdown = self.shutdown.clone();
        async move { drop(shutdown.changed().await) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_counted_and_free_again_when_left() {
        let broadcast = Broadcast::default();
        let mut subscriptions: Vec<Subscription> =
            (0..MAX_SUBSCRIPTIONS).map(|_| broadcast.subscribe().unwrap()).collect();

        assert!(broadcast.subscribe().is_none());
        drop(subscriptions.pop());
        assert!(broadcast.subscribe().is_some());
    }

    #[tokio::test]
    async fn a_subscriber_that_falls_behind_is_disconnected_and_others_miss_nothing() {
        let broadcast = Broadcast::default();
        let (mut slow, mut quick) = (broadcast.subscribe().unwrap(), broadcast.subscribe().unwrap());

        for number in 0..2000 {
            broadcast.send(Frame { number, kind: FrameKind::Event, text: Arc::from(*b"") });
            assert_eq!(quick.next().await.map(|frame| frame.number), Some(number));
        }

        assert!(slow.next().await.is_none());
    }

    #[test]
    fn events_beyond_a_seconds_room_are_a_backlog_until_it_is_cleared() {
        let broadcast = Broadcast::default();

        assert!(broadcast.reserve(60, 100));
        assert!(!broadcast.reserve(41, 100));
        broadcast.set_backlog(101);
        std::thread::sleep(Duration::from_millis(1001));
        assert!(!broadcast.reserve(1, 100), "what comes later waits for it");
        broadcast.set_backlog(102);
        broadcast.clear_backlog(101);
        assert_eq!(broadcast.backlog(), Some(102));
        broadcast.clear_backlog(102);
        assert!(broadcast.reserve(1, 100));
    }

    #[tokio::test]
    async fn a_closed_broadcast_disconnects_everyone_and_accepts_no_subscription() {
        let broadcast = Broadcast::default();
        let subscription = broadcast.subscribe().unwrap();

        broadcast.close();

        subscription.shutdown().await;
        assert!(broadcast.subscribe().is_none());
    }
}
