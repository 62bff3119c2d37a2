//! The threads that hash passwords, and their queue.
//!
//! Hashing takes milliseconds of computation and megabytes of memory. On dedicated threads, a flood of sign-ins delays
//! sign-ins and answers some of them with 503, but does not take memory and workers from other requests.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::oneshot;

use super::memory::Memory;
use crate::config;
use crate::error::{Error, Internal};

const IDLE: Duration = Duration::from_secs(30);

/// The most threads that are started unless the settings name a number.
const MOST_BY_ITSELF: usize = 4;

type Job = Box<dyn FnOnce(&mut Memory) + Send>;

pub(super) struct Threads {
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
}

impl Threads {
    pub(super) fn start(settings: &config::Passwords) -> Self {
        let queue = Arc::new(Queue::new(settings.queue, IDLE));
        let memory = Memory::for_hashes_of(settings);
        let threads = (0..count(settings.threads)).map(|_| spawn(&queue, memory.another())).collect();
        Self { queue, threads }
    }

    /// Runs `work` on one of the threads. If the caller is cancelled before the work begins, it is not done.
    pub(super) async fn run<T, W>(&self, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        W: FnOnce(&mut Memory) -> T + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job = move |memory: &mut Memory| {
            if !answer.is_closed() {
                // The caller may have been cancelled in the meantime; the answer is then dropped.
                let _ = answer.send(work(memory));
            }
        };
        self.queue.push(Box::new(job))?;
        answered.await.map_err(|gone| Internal::new("hashing a password", gone).into())
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.queue.close();
        for thread in self.threads.drain(..) {
            // A thread that panicked has reported it already, and returns nothing.
            let _ = thread.join();
        }
    }
}

fn count(wanted: usize) -> usize {
    if wanted > 0 {
        return wanted;
    }
    // One core stays free, so that other requests go on during a flood of sign-ins.
    let cores = thread::available_parallelism().map_or(1, usize::from);
    (cores - 1).clamp(1, MOST_BY_ITSELF)
}

#[expect(clippy::expect_used, reason = "at the start: a machine that cannot give these threads cannot run the service")]
fn spawn(queue: &Arc<Queue>, mut memory: Memory) -> JoinHandle<()> {
    let queue = Arc::clone(queue);
    let work = move || {
        while let Some(job) = queue.next(&mut memory) {
            // When a job panics, its caller's channel closes, and the thread continues.
            let _ = catch_unwind(AssertUnwindSafe(|| job(&mut memory)));
        }
    };
    thread::Builder::new().name("password".to_owned()).spawn(work).expect("the system gives a thread")
}

struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    capacity: usize,
    idle: Duration,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    is_closed: bool,
}

impl Queue {
    fn new(capacity: usize, idle: Duration) -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), capacity, idle }
    }

    fn push(&self, job: Job) -> Result<(), Error> {
        let mut state = self.lock();
        if state.jobs.len() >= self.capacity {
            return Err(Error::unavailable("the queue of passwords to hash is full"));
        }
        state.jobs.push_back(job);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// Waits for the next job; `None` once the queue is closed. It releases `memory` after waiting for a while.
    fn next(&self, memory: &mut Memory) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if state.is_closed {
                return None;
            }
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            state = self.wait(state, memory);
        }
    }

    fn wait<'queue>(&self, state: MutexGuard<'queue, State>, memory: &mut Memory) -> MutexGuard<'queue, State> {
        if !memory.is_held() {
            return self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let (state, waited) = self.changed.wait_timeout(state, self.idle).unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() && state.jobs.is_empty() {
            memory.release();
        }
        state
    }

    /// Closes the queue. Jobs that were not begun are dropped, and their callers get an error.
    fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        state.jobs.clear();
        drop(state);
        self.changed.notify_all();
    }

    /// Ignores poisoning, because no code panics while it holds this lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;
    use std::task::Poll;

    use argon2::Params;

    use super::*;

    fn one_thread(queue: usize) -> Threads {
        Threads::start(&config::Passwords { threads: 1, queue, memory_kib: 8, ..Default::default() })
    }

    /// Returns work that occupies the thread until the sender is used, and a receiver that reports that it has begun.
    fn busy() -> (mpsc::Sender<()>, mpsc::Receiver<()>, impl FnOnce(&mut Memory) + Send + 'static) {
        let (release, released) = mpsc::channel();
        let (begun, has_begun) = mpsc::channel();
        let work = move |_: &mut Memory| {
            begun.send(()).unwrap();
            released.recv().unwrap();
        };
        (release, has_begun, work)
    }

    #[tokio::test]
    async fn a_full_queue_answers_at_once_and_says_when_to_come_back() {
        let threads = one_thread(1);
        let (release, has_begun, work) = busy();

        let second = async {
            has_begun.recv().unwrap();
            threads.run(|_| "second").await
        };
        let third = async {
            let answer = threads.run(|_| "third").await;
            release.send(()).unwrap();
            answer
        };
        let (first, second, third) = tokio::join!(threads.run(work), second, third);

        assert!(first.is_ok());
        assert_eq!(second.unwrap(), "second");
        let Error::Unavailable(unavailable) = third.unwrap_err() else { panic!("an answer of another kind") };
        assert!(unavailable.retry_after >= Duration::from_secs(1));
    }

    #[tokio::test]
    async fn work_whose_caller_has_gone_is_not_begun() {
        let threads = one_thread(8);
        let (release, has_begun, work) = busy();
        let was_done = Arc::new(AtomicBool::new(false));

        let impatient = async {
            has_begun.recv().unwrap();
            let flag = Arc::clone(&was_done);
            let mut waiting = Box::pin(threads.run(move |_| flag.store(true, Ordering::SeqCst)));
            let is_waiting = std::future::poll_fn(|context| Poll::Ready(waiting.as_mut().poll(context).is_pending()));
            assert!(is_waiting.await, "it waits behind the first");
            drop(waiting);
            release.send(()).unwrap();
        };
        let (first, ()) = tokio::join!(threads.run(work), impatient);
        first.unwrap();
        threads.run(|_| ()).await.unwrap();

        assert!(!was_done.load(Ordering::SeqCst));
    }

    #[tokio::test]
    async fn dropping_the_hasher_ends_its_threads() {
        let threads = one_thread(8);
        threads.run(|_| ()).await.unwrap();
        let queue = Arc::downgrade(&threads.queue);

        drop(threads);

        assert!(queue.upgrade().is_none(), "only the threads could still hold the queue");
    }

    #[tokio::test]
    async fn a_panic_costs_one_answer_and_no_thread() {
        let threads = one_thread(8);
        assert!(matches!(threads.run(|_| panic!("on purpose")).await, Err::<(), _>(Error::Internal(_))));
        assert_eq!(threads.run(|_| 7).await.unwrap(), 7);
    }

    #[test]
    fn an_idle_thread_gives_its_memory_back() {
        let settings = config::Passwords { memory_kib: 8, ..Default::default() };
        let mut memory = Memory::for_hashes_of(&settings);
        memory.with(&Params::new(8, 1, 1, None).unwrap(), |_| ());
        assert!(memory.is_held());

        let queue = Queue::new(1, Duration::from_millis(1));
        let mut state = queue.lock();
        while memory.is_held() {
            state = queue.wait(state, &mut memory);
        }
    }

    #[test]
    fn one_core_stays_free_unless_the_settings_say_otherwise() {
        assert_eq!(count(7), 7);
        let cores = thread::available_parallelism().map_or(1, usize::from);
        assert!((1..=MOST_BY_ITSELF).contains(&count(0)));
        assert!(count(0) < cores || cores == 1);
    }
}
