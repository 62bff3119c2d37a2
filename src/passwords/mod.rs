//! Hashing people's passwords: argon2id on threads of its own, behind a bounded queue. Hashes of other systems are
//! checked here too. Who may sign in is decided in `users`.

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

/// The most bytes of a password. A longer one is refused, never cut off.
pub const MAX_PASSWORD_BYTES: usize = 1024;

/// What checking a password found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is the password.
    Right,
    /// It is, and the hash should be made again: parameters changed, or it comes from another system.
    RightButOutdated,
    /// It is not, or there is no hash to compare with.
    Wrong,
}

/// The threads that hash.
pub struct Hasher {
    threads: Threads,
    argon: Argon,
    random: Random,
}

impl Hasher {
    /// Starts the threads. They end when the hasher is dropped, which waits for the hashes that are being made.
    #[must_use]
    pub fn start(settings: &config::Passwords) -> Self {
        Self { threads: Threads::start(settings), argon: Argon::new(settings), random: Random::default() }
    }

    /// A new argon2id hash (PHC string) of `password`.
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
    /// and says [`Verdict::Wrong`].
    ///
    /// The work is that of the server's own parameters. A hash that was imported takes as long as it was made to take
    /// elsewhere, until its user has signed in once and it has been made again: nobody can tell what an unknown name
    /// would have cost there.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the queue is full.
    pub async fn verify(&self, password: &Secret, stored: Option<&str>) -> Result<Verdict, Error> {
        let (argon, password) = (self.argon, password.clone());
        let stored = stored.filter(|_| password.expose().len() <= MAX_PASSWORD_BYTES).and_then(StoredHash::parse);
        self.threads.run(move |memory| compare(argon, &password, stored.as_ref(), memory)).await
    }
}

/// Whether `hash` is in a form that [`Hasher::verify`] can check (argon2, bcrypt, Django).
#[must_use]
pub fn is_known_form(hash: &str) -> bool {
    StoredHash::parse(hash).is_some()
}

/// A hash as the database keeps it.
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
