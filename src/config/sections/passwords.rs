//! `[passwords]`

use crate::config::declare::settings;

settings! {
    /// How passwords are hashed (argon2id), and which are accepted.
    pub struct Passwords {
        /// Memory for one hash, in KiB; at most 262144. The fewer `iterations`, the more is needed.
        memory_kib: u32 = 19 * 1024;
        /// Passes over that memory.
        iterations: u32 = 2, in 1..=Passwords::MOST_ITERATIONS;
        /// Lanes.
        parallelism: u32 = 1, in 1..=Passwords::MOST_PARALLELISM;
        /// Threads that hash; each holds the memory of one hash. 0 stands for one a processor core, less one, at most 4.
        threads: usize = 0, in 0..=64;
        /// How many sign-ins may wait for such a thread; beyond, they are answered 503.
        queue: usize = 64, in 1..=10_000;
        /// The fewest characters of a new password.
        minimum_length: usize = 8, in 6..=64;
    }
}

impl Passwords {
    /// The most memory that one hash may ask for, whether by the settings or because it was imported so.
    pub const MOST_MEMORY_KIB: u32 = 256 * 1024;
    /// The most passes, likewise.
    pub const MOST_ITERATIONS: u32 = 10;
    /// The most lanes, likewise.
    pub const MOST_PARALLELISM: u32 = 16;
}
