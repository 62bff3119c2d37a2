//! Hashing people's passwords: argon2id on threads of its own, behind a bounded queue. Hashes of other systems are
//! checked here too. Who may sign in is decided in `users`.

use crate::config;
use crate::model::Secret;
use crate::protocol::OAuthError;

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
pub struct Hasher {}

impl Hasher {
    /// Starts the threads.
    #[must_use]
    pub fn start(settings: &config::Passwords) -> Self {
        let _ = settings;
        todo!()
    }

    /// A new argon2id hash (PHC string) of `password`.
    ///
    /// # Errors
    /// [`OAuthError::Unavailable`] when the queue is full.
    pub async fn hash(&self, password: &Secret) -> Result<String, OAuthError> {
        let _ = password;
        todo!()
    }

    /// Compares `password` with `stored`. Without a stored hash it does the same work and says [`Verdict::Wrong`].
    ///
    /// # Errors
    /// [`OAuthError::Unavailable`] when the queue is full.
    pub async fn verify(&self, password: &Secret, stored: Option<&str>) -> Result<Verdict, OAuthError> {
        let _ = (password, stored);
        todo!()
    }
}

/// Whether a password may be chosen: long enough, at most 1,024 bytes, not among the most common ones, not the name itself.
///
/// # Errors
/// `invalid_request` with the reason, in words for the person who chose it.
pub fn may_be_chosen(password: &Secret, username: &str, settings: &config::Passwords) -> Result<(), OAuthError> {
    let _ = (password, username, settings);
    todo!()
}

/// Whether `hash` is in a form that [`Hasher::verify`] can check (argon2, bcrypt, Django).
#[must_use]
pub fn is_known_form(hash: &str) -> bool {
    let _ = hash;
    todo!()
}
