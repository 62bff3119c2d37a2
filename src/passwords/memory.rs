//! The working memory of argon2, kept from one hash to the next.

use std::sync::{Arc, Mutex, PoisonError};

use argon2::{Block, Params};

use crate::config;

/// More than 32 MiB, above which glibc always returns a freed block to the system. Below, it takes the first free as a
/// hint to keep such blocks in its heap, and a hundred megabytes stay there for good. What is reserved and not used
/// costs nothing.
const RESERVED_BLOCKS: usize = 33 * 1024;

/// The memory of one thread: nothing at first, then that of one hash with the server's own parameters.
pub(super) struct Memory {
    blocks: Vec<Block>,
    own: usize,
    /// Held while an imported hash needs more than the server's own ones, so that there is one such block at a time.
    large: Arc<Mutex<()>>,
}

impl Memory {
    pub(super) fn for_hashes_of(settings: &config::Passwords) -> Self {
        let config::Passwords { memory_kib, iterations, parallelism, .. } = *settings;
        let own = Params::new(memory_kib, iterations, parallelism, None).map_or(0, |params| params.block_count());
        Self { blocks: Vec::new(), own, large: Arc::default() }
    }

    /// Creates the memory of another thread, which shares the lock for large blocks.
    pub(super) fn another(&self) -> Self {
        Self { blocks: Vec::new(), own: self.own, large: Arc::clone(&self.large) }
    }

    /// Runs `work` with as much memory as `params` demand.
    pub(super) fn with<T>(&mut self, params: &Params, work: impl FnOnce(&mut [Block]) -> T) -> T {
        let count = params.block_count();
        if count > self.own {
            let _one_at_a_time = self.large.lock().unwrap_or_else(PoisonError::into_inner);
            return work(&mut reserve(count));
        }
        if !self.is_held() {
            self.blocks = reserve(self.own);
        }
        work(&mut self.blocks[..count])
    }

    pub(super) fn is_held(&self) -> bool {
        !self.blocks.is_empty()
    }

    pub(super) fn release(&mut self) {
        self.blocks = Vec::new();
    }
}

fn reserve(count: usize) -> Vec<Block> {
    let mut blocks = Vec::with_capacity(count.max(RESERVED_BLOCKS));
    blocks.resize(count, Block::new());
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn memory_that_is_released_goes_back_to_the_system_each_time() {
        let resident_pages = || -> usize {
            std::fs::read_to_string("/proc/self/statm").unwrap().split(' ').nth(1).unwrap().parse().unwrap()
        };
        let settings = config::Passwords::default();
        let params = Params::new(settings.memory_kib, 1, 1, None).unwrap();
        let mut memory = Memory::for_hashes_of(&settings);

        let before = resident_pages();
        for _ in 0..8 {
            memory.with(&params, |_| ());
            memory.release();
        }
        let more = resident_pages().saturating_sub(before) * 4 / 1024;

        assert!(more < 64, "{more} MiB of 8 times 19 MiB are still there");
    }

    #[test]
    fn each_work_gets_just_the_memory_it_asks_for() {
        let settings = config::Passwords { memory_kib: 64, ..Default::default() };
        let mut memory = Memory::for_hashes_of(&settings);
        for kib in [32, 64, 128, 16] {
            let blocks = memory.with(&Params::new(kib, 1, 1, None).unwrap(), |blocks| blocks.len());
            assert_eq!(blocks, usize::try_from(kib).unwrap());
        }
        assert_eq!(memory.blocks.len(), 64, "what was larger is not kept");
    }
}
