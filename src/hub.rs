//! The way from whoever follows the change feed to those who listen to security events: lines that were signed and
//! written once, shared by all listeners of this instance. `events` says what they hold; nothing here knows.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, broadcast, watch};

use crate::clock::{Stopwatch, Timestamp};

/// How many may listen at one instance. Each holds a connection and a few pages of memory.
pub const SEATS: usize = 1000;

/// How many lines a listener may fall behind the others before it is cut off.
const BACKLOG: usize = 1024;

/// Something that is told.
#[derive(Debug, Clone)]
pub struct Line {
    /// The number of the last change that whoever has read this, and all before, knows of.
    pub number: i64,
    /// How it stands to other lines.
    pub kind: LineKind,
    /// As it goes over the wire.
    pub text: Arc<[u8]>,
}

/// How a line stands to other lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// Something happened, under a number of its own.
    Event,
    /// Nothing happened up to its number that was not told.
    SignOfLife,
    /// What was told before counts no more, and its number may be a smaller one.
    StartOver,
}

/// How far the change feed was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// The number of the last change.
    pub number: i64,
    /// Every change that was committed before this moment is among them.
    pub as_of: Timestamp,
}

/// Where lines are handed out.
pub struct Hub {
    lines: broadcast::Sender<Line>,
    seats: Arc<Semaphore>,
    farewell: watch::Sender<()>,
    told: Mutex<Option<Told>>,
    pace: Mutex<Pace>,
    moved: Notify,
}

/// How much was told within the last second, and what was more than could be.
#[derive(Debug, Clone, Copy)]
struct Pace {
    since: Stopwatch,
    told: usize,
    owed: Option<i64>,
}

/// A subscription. It is free again when this is dropped.
pub struct Seat {
    lines: broadcast::Receiver<Line>,
    farewell: watch::Receiver<()>,
    _permit: OwnedSemaphorePermit,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            lines: broadcast::Sender::new(BACKLOG),
            seats: Arc::new(Semaphore::new(SEATS)),
            farewell: watch::Sender::new(()),
            told: Mutex::new(None),
            pace: Mutex::new(Pace { since: Stopwatch::start(), told: 0, owed: None }),
            moved: Notify::new(),
        }
    }
}

impl Hub {
    /// Takes a seat: every line from now on. `None` where all are taken, or nobody is let in any more.
    #[must_use]
    pub fn listen(&self) -> Option<Seat> {
        // Before the permit is asked for: a hub that closes between the two is then noticed.
        let farewell = self.farewell.subscribe();
        let permit = Arc::clone(&self.seats).try_acquire_owned().ok()?;
        Some(Seat { lines: self.lines.subscribe(), farewell, _permit: permit })
    }

    /// Whether anybody would hear a line.
    #[must_use]
    pub fn has_listeners(&self) -> bool {
        self.lines.receiver_count() > 0
    }

    /// Hands a line to everybody who listens.
    pub fn tell(&self, line: Line) {
        // Nobody is there: so nobody misses it.
        drop(self.lines.send(line));
    }

    /// Takes room for so many events that are to be told one by one, of which a second has so many at the most; says
    /// whether there was room. There is none as long as something is [owed](Self::owe).
    #[must_use]
    pub fn take_room(&self, events: usize, most_a_second: usize) -> bool {
        let mut pace = lock(&self.pace);
        if pace.since.elapsed() >= Duration::from_secs(1) {
            (pace.since, pace.told) = (Stopwatch::start(), 0);
        }
        pace.told = pace.told.saturating_add(events);
        pace.told <= most_a_second && pace.owed.is_none()
    }

    /// Notes that what happened up to this number was not told one by one.
    pub fn owe(&self, number: i64) {
        lock(&self.pace).owed = Some(number);
    }

    /// The number up to which something is owed.
    #[must_use]
    pub fn owed(&self) -> Option<i64> {
        lock(&self.pace).owed
    }

    /// It was said that there was more, up to this number.
    pub fn settle(&self, number: i64) {
        let mut pace = lock(&self.pace);
        pace.owed = pace.owed.filter(|owed| *owed != number);
    }

    /// Notes that everything up to here was told.
    pub fn note(&self, told: Told) {
        *lock(&self.told) = Some(told);
        self.moved.notify_one();
    }

    /// Forgets how far that was: from now on other numbers count.
    pub fn forget(&self) {
        *lock(&self.told) = None;
    }

    /// How far the change feed was told; none before it was read.
    #[must_use]
    pub fn told(&self) -> Option<Told> {
        *lock(&self.told)
    }

    /// Waits until it is noted that something, or nothing new, was told.
    pub async fn moved(&self) {
        self.moved.notified().await;
    }

    /// Sends everybody away who listens: they come back and read from the database what they have missed.
    pub fn send_away(&self) {
        self.farewell.send_replace(());
    }

    /// Sends everybody away, and lets nobody in any more.
    pub fn close(&self) {
        self.seats.close();
        self.send_away();
    }
}

/// A panic while one was held cannot leave it half changed: each change is a few assignments.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Seat {
    /// The next line; `None` for a listener that has fallen too far behind to hear every one.
    pub async fn next(&mut self) -> Option<Line> {
        self.lines.recv().await.ok()
    }

    /// Waits until everybody is sent away.
    pub fn farewell(&self) -> impl Future<Output = ()> + use<> {
        let mut farewell = self.farewell.clone();
        async move { drop(farewell.changed().await) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_counted_and_free_again_when_left() {
        let hub = Hub::default();
        let mut seats: Vec<Seat> = (0..SEATS).map(|_| hub.listen().unwrap()).collect();

        assert!(hub.listen().is_none());
        drop(seats.pop());
        assert!(hub.listen().is_some());
    }

    #[tokio::test]
    async fn whoever_falls_behind_is_told_so_and_others_miss_nothing() {
        let hub = Hub::default();
        let (mut slow, mut quick) = (hub.listen().unwrap(), hub.listen().unwrap());

        for number in 0..2000 {
            hub.tell(Line { number, kind: LineKind::Event, text: Arc::from(*b"") });
            assert_eq!(quick.next().await.map(|line| line.number), Some(number));
        }

        assert!(slow.next().await.is_none());
    }

    #[test]
    fn what_is_more_than_a_second_has_room_for_is_owed_until_it_was_said() {
        let hub = Hub::default();

        assert!(hub.take_room(60, 100));
        assert!(!hub.take_room(41, 100));
        hub.owe(101);
        std::thread::sleep(Duration::from_millis(1001));
        assert!(!hub.take_room(1, 100), "what comes later waits for it");
        hub.owe(102);
        hub.settle(101);
        assert_eq!(hub.owed(), Some(102));
        hub.settle(102);
        assert!(hub.take_room(1, 100));
    }

    #[tokio::test]
    async fn a_hub_that_closes_sends_everybody_away_and_lets_nobody_in() {
        let hub = Hub::default();
        let seat = hub.listen().unwrap();

        hub.close();

        seat.farewell().await;
        assert!(hub.listen().is_none());
    }
}
