//! Delivers frames from the feed follower to the subscribers of the event stream. A frame is signed and written once
//! and shared by all subscribers of this instance. `event_stream` defines what frames contain; this module does not
//! read them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, broadcast, watch};

use crate::clock::{Stopwatch, Timestamp};

/// The most subscriptions of one instance. Each holds a connection and a few pages of memory.
pub const MAX_SUBSCRIPTIONS: usize = 1000;

/// The most frames that a subscriber may fall behind before it is disconnected.
const BACKLOG: usize = 1024;

#[derive(Debug, Clone)]
pub struct Frame {
    /// The number of the last change that a subscriber knows once it has read this frame and all before it.
    pub number: i64,
    pub kind: FrameKind,
    pub text: Arc<[u8]>,
}

/// How a subscriber treats a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameKind {
    /// A change, under its own number in the feed. A subscriber that has sent this number already skips the frame.
    Event,
    /// States that every event up to its number has been sent.
    Heartbeat,
    /// Voids the numbers sent before: this number may be smaller.
    StartOver,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedProgress {
    pub number: i64,
    /// Every change that was committed before this time has a number up to `number`.
    pub as_of: Timestamp,
}

pub struct Broadcast {
    frames: broadcast::Sender<Frame>,
    subscriptions: Arc<Semaphore>,
    shutdown: watch::Sender<()>,
    progress: Mutex<Option<FeedProgress>>,
    pace: Mutex<Pace>,
    moved: Notify,
}

/// The number of events sent within the last second, and the number up to which events were left out.
#[derive(Debug, Clone, Copy)]
struct Pace {
    since: Stopwatch,
    sent: usize,
    backlog: Option<i64>,
}

/// A permit to receive frames. Dropping it frees it for another subscriber.
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
    /// Subscribes to every frame from now on. Returns `None` when all subscriptions are taken or the broadcast is
    /// closed.
    #[must_use]
    pub fn subscribe(&self) -> Option<Subscription> {
        // Subscribed before the permit is acquired, so that a broadcast that closes between the two is noticed.
        let shutdown = self.shutdown.subscribe();
        let permit = Arc::clone(&self.subscriptions).try_acquire_owned().ok()?;
        Some(Subscription { frames: self.frames.subscribe(), shutdown, _permit: permit })
    }

    #[must_use]
    pub fn has_subscribers(&self) -> bool {
        self.frames.receiver_count() > 0
    }

    pub fn send(&self, frame: Frame) {
        // An error means that there is no subscriber.
        drop(self.frames.send(frame));
    }

    /// Reserves capacity to send `events` events one by one, of at most `most_a_second`. Returns `false` where the
    /// capacity does not suffice, and while there is a [backlog](Self::set_backlog).
    #[must_use]
    pub fn reserve(&self, events: usize, most_a_second: usize) -> bool {
        let mut pace = lock(&self.pace);
        if pace.since.elapsed() >= Duration::from_secs(1) {
            (pace.since, pace.sent) = (Stopwatch::start(), 0);
        }
        pace.sent = pace.sent.saturating_add(events);
        pace.sent <= most_a_second && pace.backlog.is_none()
    }

    /// Records that events up to this number were not sent one by one.
    pub fn set_backlog(&self, number: i64) {
        lock(&self.pace).backlog = Some(number);
    }

    #[must_use]
    pub fn backlog(&self) -> Option<i64> {
        lock(&self.pace).backlog
    }

    /// Clears the backlog once subscribers were sent a `resync` for events up to this number. A backlog that has grown
    /// since stays.
    pub fn clear_backlog(&self, number: i64) {
        let mut pace = lock(&self.pace);
        pace.backlog = pace.backlog.filter(|backlog| *backlog != number);
    }

    pub fn note(&self, progress: FeedProgress) {
        *lock(&self.progress) = Some(progress);
        self.moved.notify_one();
    }

    /// Clears the progress, because the numbers of the feed start over.
    pub fn forget(&self) {
        *lock(&self.progress) = None;
    }

    /// Returns how far the feed has been broadcast, or `None` before the feed was read.
    #[must_use]
    pub fn progress(&self) -> Option<FeedProgress> {
        *lock(&self.progress)
    }

    pub async fn moved(&self) {
        self.moved.notified().await;
    }

    /// Disconnects every subscriber. Subscribers reconnect and read from the database what they have missed.
    pub fn disconnect_all(&self) {
        self.shutdown.send_replace(());
    }

    pub fn close(&self) {
        self.subscriptions.close();
        self.disconnect_all();
    }
}

/// Ignores poisoning: each change is a few assignments, so a panic cannot leave the value half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Subscription {
    /// Returns the next frame, or `None` when this subscriber has fallen too far behind.
    pub async fn next(&mut self) -> Option<Frame> {
        self.frames.recv().await.ok()
    }

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
