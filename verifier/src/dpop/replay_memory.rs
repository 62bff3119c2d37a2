//! Which proofs were used: bounded, and forgetting what has expired.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use super::{ProofFlaw, ProofUse};

/// Remembers the proofs that were used, until they would not pass any more (RFC 9449 section 11.1).
///
/// Make one at start-up and share it. It is this process's memory: a service with several instances that wants to refuse
/// a proof that was shown to another of them keeps [`ProofUse::id`] in a store that they share, and asks
/// [`DpopProof::check`](crate::DpopProof::check) itself.
#[derive(Debug)]
pub struct ReplayMemory {
    capacity: usize,
    generations: Mutex<Generations>,
}

/// What was used lies in the generation that was young when it came. The old one is forgotten as a whole, once nothing
/// in it could pass.
#[derive(Debug, Default)]
struct Generations {
    young: HashSet<[u8; 32]>,
    old: HashSet<[u8; 32]>,
    young_until: i64,
    old_until: i64,
}

impl ReplayMemory {
    /// A memory for this many proofs, of 40 bytes or so each. When it is full, proofs are refused until it forgets
    /// some: to pass a proof that cannot be remembered is to pass it twice. Room for the requests with bound tokens that
    /// come within four minutes is enough at a window of 60 s.
    #[must_use]
    pub fn with_capacity(proofs: usize) -> Self {
        Self { capacity: proofs, generations: Mutex::default() }
    }

    /// Passes when the proof was not used before, and remembers it.
    ///
    /// # Errors
    /// [`ProofFlaw::Replayed`] or [`ProofFlaw::MemoryFull`].
    pub fn remember(&self, used: &ProofUse, now: i64) -> Result<(), ProofFlaw> {
        // A panic elsewhere leaves the sets whole: each change is a single insertion.
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        generations.turn(now);
        if generations.young.contains(&used.id) || generations.old.contains(&used.id) {
            return Err(ProofFlaw::Replayed);
        }
        if generations.young.len() + generations.old.len() >= self.capacity {
            return Err(ProofFlaw::MemoryFull);
        }
        generations.young.insert(used.id);
        generations.young_until = generations.young_until.max(used.until);
        Ok(())
    }
}

impl Generations {
    /// Forgets the old generation when its time is over. The young one is then the old one, unless its time is over too.
    fn turn(&mut self, now: i64) {
        if self.old_until < now {
            self.old = std::mem::take(&mut self.young);
            self.old_until = std::mem::take(&mut self.young_until);
            if self.old_until < now {
                self.old.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ProofFlaw, ProofUse, ReplayMemory};

    fn used(name: u8, until: i64) -> ProofUse {
        ProofUse { id: [name; 32], until }
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
}
