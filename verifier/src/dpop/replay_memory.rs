//! The memory of used proofs: bounded, and without those that have expired.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use super::{ProofFlaw, ProofUse};

/// Each key may fill this part of the memory: a tenth.
const SHARES: usize = 10;
/// A key's share where a tenth of the memory would be less.
const LEAST_SHARE: usize = 16;

/// Remembers the proofs that were used, until they would not pass any more (RFC 9449 section 11.1).
///
/// Make one at start-up and share it. It covers one process: a service with several instances that wants to refuse a
/// proof that another instance has seen keeps [`ProofUse::id`] in a store that they share, and calls
/// [`DpopProof::check`](crate::DpopProof::check) itself.
#[derive(Debug)]
pub struct ReplayMemory {
    capacity: usize,
    generations: Mutex<Generations>,
}

/// Two generations of used proofs. A proof is added to the young one. The old one is dropped as a whole, once no proof
/// in it could pass.
#[derive(Debug, Default)]
struct Generations {
    young: Generation,
    old: Generation,
    /// The last second at which a forgotten proof would have passed.
    forgotten_until: i64,
}

#[derive(Debug, Default)]
struct Generation {
    proofs: HashSet<[u8; 32]>,
    /// How many of the proofs each key has signed.
    by_key: HashMap<[u8; 32], usize>,
    /// The last second at which one of them would pass.
    until: i64,
}

impl ReplayMemory {
    /// Makes a memory for this many proofs, of about 40 bytes each, and as much again for each key. When it is full,
    /// proofs are refused until it forgets some: a proof that passes without being remembered passes twice. Room for
    /// the requests with bound tokens that come within four minutes is enough at a window of 60 s.
    ///
    /// One key gets a tenth of the memory, or 16 proofs if that is more, so that one busy client does not exclude the
    /// others; the busiest client decides how large the memory has to be. This does not protect against hostile
    /// clients: a client that binds its tokens to ten keys has ten tenths.
    #[must_use]
    pub fn with_capacity(proofs: usize) -> Self {
        Self { capacity: proofs, generations: Mutex::default() }
    }

    /// Passes when the proof was not used before, and remembers it.
    ///
    /// # Errors
    /// [`ProofFlaw::Replayed`] or [`ProofFlaw::MemoryFull`].
    pub fn remember(&self, used: &ProofUse, now: i64) -> Result<(), ProofFlaw> {
        // A panic elsewhere leaves the sets whole: at worst a key has one proof less counted than it has signed.
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        generations.turn(now);
        if generations.may_know(used) {
            return Err(ProofFlaw::Replayed);
        }
        let share = (self.capacity / SHARES).max(LEAST_SHARE);
        if generations.len() >= self.capacity || generations.signed_by(&used.key) >= share {
            return Err(ProofFlaw::MemoryFull);
        }
        generations.young.insert(used);
        Ok(())
    }
}

impl Generations {
    /// Drops the old generation once it has expired, and makes the young one the old one. Does so twice when both have
    /// expired.
    fn turn(&mut self, now: i64) {
        for _ in 0..2 {
            if self.old.until < now {
                self.forgotten_until = self.forgotten_until.max(self.old.until);
                self.old = std::mem::take(&mut self.young);
            }
        }
    }

    /// Whether the proof was used, or belongs to the time whose proofs are forgotten. While the clock goes forward, a
    /// proof of that time does not pass anyway.
    fn may_know(&self, used: &ProofUse) -> bool {
        used.until <= self.forgotten_until || self.young.proofs.contains(&used.id) || self.old.proofs.contains(&used.id)
    }

    fn len(&self) -> usize {
        self.young.proofs.len() + self.old.proofs.len()
    }

    fn signed_by(&self, key: &[u8; 32]) -> usize {
        [&self.young, &self.old].iter().filter_map(|generation| generation.by_key.get(key)).sum()
    }
}

impl Generation {
    fn insert(&mut self, used: &ProofUse) {
        self.proofs.insert(used.id);
        *self.by_key.entry(used.key).or_default() += 1;
        self.until = self.until.max(used.until);
    }
}

#[cfg(test)]
mod tests {
    use super::{ProofFlaw, ProofUse, ReplayMemory};

    fn used(name: u8, until: i64) -> ProofUse {
        ProofUse { id: [name; 32], key: [0; 32], until }
    }

    #[test]
    fn a_proof_is_remembered_as_long_as_it_would_pass() {
        let memory = ReplayMemory::with_capacity(100);
        for (name, start) in [(1, 1000), (2, 1030), (3, 1119), (4, 1180)] {
            assert_eq!(memory.remember(&used(name, start + 120), start), Ok(()));
            for now in start..=start + 120 {
                assert_eq!(memory.remember(&used(name, start + 120), now), Err(ProofFlaw::Replayed), "{name} {now}");
            }
        }
    }

    #[test]
    fn a_full_memory_refuses_until_it_forgets() {
        let memory = ReplayMemory::with_capacity(2);
        assert_eq!(memory.remember(&used(1, 1060), 1000), Ok(()));
        assert_eq!(memory.remember(&used(2, 1060), 1001), Ok(()));
        assert_eq!(memory.remember(&used(3, 1062), 1002), Err(ProofFlaw::MemoryFull));
        assert_eq!(memory.remember(&used(1, 1060), 1060), Err(ProofFlaw::Replayed));
        assert_eq!(memory.remember(&used(4, 1200), 1061), Ok(()));
        assert_eq!(memory.remember(&used(5, 1200), 1061), Ok(()));
        assert_eq!(memory.remember(&used(6, 1200), 1062), Err(ProofFlaw::MemoryFull));
    }

    #[test]
    fn of_the_same_proof_shown_many_times_at_once_one_passes() {
        let memory = ReplayMemory::with_capacity(100);
        let passed = std::thread::scope(|scope| {
            let shown: Vec<_> = (0..8).map(|_| scope.spawn(|| memory.remember(&used(1, 60), 0).is_ok())).collect();
            shown.into_iter().filter_map(|thread| thread.join().ok()).filter(|passed| *passed).count()
        });
        assert_eq!(passed, 1);
    }

    fn used_with(key: u8, number: usize) -> ProofUse {
        let mut id = [key; 32];
        id[..8].copy_from_slice(&number.to_le_bytes());
        ProofUse { id, key: [key; 32], until: 1060 }
    }

    #[test]
    fn no_key_fills_the_memory_alone() {
        for (capacity, share) in [(100, 16), (1000, 100)] {
            let memory = ReplayMemory::with_capacity(capacity);
            for number in 0..share {
                assert_eq!(memory.remember(&used_with(1, number), 1000), Ok(()), "{number} of {capacity}");
            }
            assert_eq!(memory.remember(&used_with(1, share), 1000), Err(ProofFlaw::MemoryFull));
            assert_eq!(memory.remember(&used_with(1, 0), 1000), Err(ProofFlaw::Replayed));
            assert_eq!(memory.remember(&used_with(2, 0), 1000), Ok(()), "of another key");
            let later = ProofUse { until: 1200, ..used_with(1, share) };
            assert_eq!(memory.remember(&later, 1061), Ok(()), "its share is forgotten with its proofs");
        }
    }

    #[test]
    fn a_share_counts_what_is_in_both_generations() {
        let memory = ReplayMemory::with_capacity(100);
        let at = |number, now: i64| ProofUse { until: now + 60, ..used_with(1, number) };
        assert_eq!(memory.remember(&at(0, 1000), 1000), Ok(()));
        // From here on the first proofs are the old generation.
        for number in 1..16 {
            assert_eq!(memory.remember(&at(number, 1050), 1050), Ok(()));
        }
        assert_eq!(memory.remember(&at(16, 1060), 1060), Err(ProofFlaw::MemoryFull));
        assert_eq!(memory.remember(&at(16, 1061), 1061), Ok(()), "the first is forgotten");
    }

    #[test]
    fn a_clock_that_is_set_back_lets_no_forgotten_proof_pass() {
        let memory = ReplayMemory::with_capacity(100);
        assert_eq!(memory.remember(&used(1, 1060), 1000), Ok(()));
        assert_eq!(memory.remember(&used(2, 9000), 8940), Ok(()), "by now the first is forgotten");

        assert_eq!(memory.remember(&used(1, 1060), 1000), Err(ProofFlaw::Replayed));
        assert_eq!(memory.remember(&used(3, 1060), 1000), Err(ProofFlaw::Replayed), "it cannot be told from the first");
        assert_eq!(memory.remember(&used(4, 1061), 1001), Ok(()), "nothing from then on was forgotten");
        assert_eq!(memory.remember(&used(4, 1061), 1001), Err(ProofFlaw::Replayed));
    }
}
