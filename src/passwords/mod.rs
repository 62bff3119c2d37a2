//! Hashes users' passwords: argon2id on dedicated threads, behind a bounded queue. It also checks the hashes of other
//! systems. `users` decides who may sign in.

mod argon;
mod choice;
mod common;
mod foreign;
mod memory;
#[cfg(test)]
mod tests;
mod threads;

pub use choice::{PolicyViolation, may_be_chosen};

use argon::Argon;
use foreign::Foreign;
use memory::Memory;
use threads::Threads;

use crate::clock::Random;
use crate::config;
use crate::error::Error;
use crate::model::Secret;

/// The longest password, in bytes. A longer one is refused, never truncated.
pub const MAX_PASSWORD_BYTES: usize = 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Right,
    /// The password is right, and the hash should be made again: the parameters changed, or it comes from another
    /// system.
    RightButOutdated,
    /// The password is wrong, or there is no hash to compare with.
    Wrong,
}

pub struct Hasher {
    threads: Threads,
    argon: Argon,
    random: Random,
}

impl Hasher {
    /// Starts the threads. They end when the hasher is dropped, which waits for the hashes in progress.
    #[must_use]
    pub fn start(settings: &config::Passwords) -> Self {
        Self { threads: Threads::start(settings), argon: Argon::new(settings), random: Random::default() }
    }

    /// Hashes `password` with argon2id and returns a PHC string.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the queue is full; `invalid_request` for more than [`MAX_PASSWORD_BYTES`].
    pub async fn hash(&self, password: &Secret) -> Result<String, Error> {
        if password.expose().len() > MAX_PASSWORD_BYTES {
            return Err(Error::invalid_request("a password has at most 1,024 bytes"));
        }
        let (argon, password, salt) = (self.argon, password.clone(), self.random.bytes());
        let hash = self.threads.run(move |memory| argon.hash(&password, salt, memory)).await?;
        Ok(hash?)
    }

    /// Compares `password` with `stored`. Without a stored hash, or with one of no known form, it does the same work
    /// and returns [`Verdict::Wrong`], so that the time does not show whether a user exists.
    ///
    /// The work is that of the server's own parameters. An imported hash takes as long as its own parameters demand,
    /// until its user has signed in once and it has been made again. The cost that an unknown name would have had in
    /// the other system cannot be known.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the queue is full.
    pub async fn verify(&self, password: &Secret, stored: Option<&str>) -> Result<Verdict, Error> {
        let (argon, password) = (self.argon, password.clone());
        let stored = stored.filter(|_| password.expose().len() <= MAX_PASSWORD_BYTES).and_then(StoredHash::parse);
        self.threads.run(move |memory| compare(argon, &password, stored.as_ref(), memory)).await
    }
}

/// Whether [`Hasher::verify`] can check `hash` (argon2, bcrypt, Django).
#[must_use]
pub fn is_known_form(hash: &str) -> bool {
    StoredHash::parse(hash).is_some()
}

enum StoredHash {
    Argon(argon::HashResult),
    Foreign(Foreign),
}

impl StoredHash {
    fn parse(text: &str) -> Option<Self> {
        let argon = || argon::HashResult::parse(text).map(Self::Argon);
        argon().or_else(|| Foreign::parse(text).map(Self::Foreign))
    }
}

fn compare(argon: Argon, password: &Secret, stored: Option<&StoredHash>, memory: &mut Memory) -> Verdict {
    let (is_right, is_current) = match stored {
        Some(StoredHash::Argon(hashed)) => (hashed.is_of(password, memory), argon.made(hashed)),
        Some(StoredHash::Foreign(foreign)) if foreign.can_be_of(password) => (foreign.is_of(password), false),
        Some(StoredHash::Foreign(_)) | None => {
            argon.hash_dummy(password, memory);
            (false, false)
        }
    };
    match (is_right, is_current) {
        (true, true) => Verdict::Right,
        (true, false) => Verdict::RightButOutdated,
        (false, _) => Verdict::Wrong,
    }
}
