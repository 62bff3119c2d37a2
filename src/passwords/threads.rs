//! The threads that hash, and the queue before them.
//!
//! Hashing is the one thing here that takes milliseconds of pure work and megabytes of memory. On threads of its own
//! a flood of sign-ins costs them time and others a 503, but never the memory and the workers of everybody else.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::oneshot;

use super::Memory;
use crate::config;
use crate::protocol::OAuthError;
use crate::protocol::error::Internal;

/// How long a thread keeps its memory after its last hash.
const IDLE: Duration = Duration::from_secs(30);

/// The most threads that are started unless the settings say how many.
const MOST_BY_ITSELF: usize = 4;

type Job = Box<dyn FnOnce(&mut Memory) + Send>;

/// A fixed number of threads and a bounded queue.
pub(super) struct Threads {
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
}

impl Threads {
    /// Starts as many as the settings say.
    pub(super) fn start(settings: &config::Passwords) -> Self {
        let queue = Arc::new(Queue::new(settings.queue, IDLE));
        let memory = Memory::for_hashes_of(settings);
        let threads = (0..count(settings.threads)).map(|_| spawn(&queue, memory.another())).collect();
        Self { queue, threads }
    }

    /// Has `work` done by one of the threads. If the caller goes away meanwhile, it is not begun.
    pub(super) async fn run<T, W>(&self, work: W) -> Result<T, OAuthError>
    where
        T: Send + 'static,
        W: FnOnce(&mut Memory) -> T + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job = move |memory: &mut Memory| {
            if !answer.is_closed() {
                // The caller may have gone away since; then nobody wants the answer.
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
            // A thread that panicked has said so already, and there is nothing to hand on.
            let _ = thread.join();
        }
    }
}

fn count(wanted: usize) -> usize {
    if wanted > 0 {
        return wanted;
    }
    // One core stays free for everything else, so that refreshes go on during a flood of sign-ins.
    let cores = thread::available_parallelism().map_or(1, usize::from);
    (cores - 1).clamp(1, MOST_BY_ITSELF)
}

#[expect(clippy::expect_used, reason = "at the start: a machine that cannot give these threads cannot run the service")]
fn spawn(queue: &Arc<Queue>, mut memory: Memory) -> JoinHandle<()> {
    let queue = Arc::clone(queue);
    let work = move || {
        while let Some(job) = queue.next(&mut memory) {
            // Should a job panic, its caller sees the answer's other end go away, and the thread lives on.
            let _ = catch_unwind(AssertUnwindSafe(|| job(&mut memory)));
        }
    };
    thread::Builder::new().name("password".to_owned()).spawn(work).expect("the system gives a thread")
}

/// Jobs that wait for a thread.
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

    fn push(&self, job: Job) -> Result<(), OAuthError> {
        let mut state = self.lock();
        if state.jobs.len() >= self.capacity {
            return Err(OAuthError::unavailable("the queue of passwords to hash is full"));
        }
        state.jobs.push_back(job);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// The next job, for a thread to wait for; nothing once the queue is closed. Gives `memory` back after a while of
    /// waiting.
    fn next(&self, memory: &mut Memory) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if state.is_closed {
                return None;
            }
            if let Some(job) = state.jobs.pop_front() {
                return Some(job);
            }
            if memory.is_held() {
                let (woken, waited) =
                    self.changed.wait_timeout(state, self.idle).unwrap_or_else(PoisonError::into_inner);
                state = woken;
                if waited.timed_out() && state.jobs.is_empty() {
                    memory.release();
                }
            } else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// Jobs that were not begun are dropped; their callers learn it.
    fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        state.jobs.clear();
        drop(state);
        self.changed.notify_all();
    }

    /// No code panics while it holds this lock, so a poisoned one is as good as any.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
