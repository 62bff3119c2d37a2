//! What a store may answer when it does not answer.

use std::fmt;

use crate::error::{Error, Internal};

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, is overloaded or refuses writes. Whether a write was done is unknown.
    #[error("the {store} does not answer")]
    Unavailable {
        /// `database` or `ephemeral store`.
        store: &'static str,
        /// What the driver said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It cannot be opened. The sentence names the setting to correct.
    #[error("{what}")]
    NotOpened {
        /// What was tried, and what to do.
        what: String,
        /// What the driver or the system said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Another row has this key already. The rule that wrote it knows what to say of it.
    #[error("the {0} is taken")]
    Conflict(UniqueKey),
    /// What was read is not what was written.
    #[error("{0}")]
    Corrupt(String),
    /// The store refused what we sent: our own mistake.
    #[error("the {store} refused a statement")]
    Broken {
        /// `database` or `ephemeral store`.
        store: &'static str,
        /// What the driver said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A key that no two rows share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UniqueKey {
    /// The identifier of a user.
    UserId,
    /// The name of a user, which is no other user's address either.
    Username,
    /// The address of a user, which is no other user's name either.
    Email,
    /// The identifier of a client.
    ClientId,
    /// The identifier of a session.
    SessionId,
    /// The identifier of a browser session.
    BrowserSessionId,
    /// The cookie of a browser session.
    BrowserSessionCookie,
    /// The identifier of a signing key.
    Kid,
    /// The one active signing key of an algorithm.
    ActiveSigningKey,
}

impl fmt::Display for UniqueKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UserId => "identifier of a user",
            Self::Username => "name of a user",
            Self::Email => "address of a user",
            Self::ClientId => "client_id",
            Self::SessionId => "identifier of a session",
            Self::BrowserSessionId => "identifier of a browser session",
            Self::BrowserSessionCookie => "cookie of a browser session",
            Self::Kid => "kid",
            Self::ActiveSigningKey => "position of the active key of an algorithm",
        })
    }
}

/// A store that cannot answer is a 503 with nothing consumed; everything else is ours to mend.
impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable { .. } | StoreError::NotOpened { .. } => Self::unavailable(with_source(&error)),
            StoreError::Conflict(_) | StoreError::Corrupt(_) | StoreError::Broken { .. } => {
                Self::Internal(Internal::new("store", error))
            }
        }
    }
}

fn with_source(error: &StoreError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
