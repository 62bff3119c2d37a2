//! The errors of the stores.

use std::fmt;

use crate::error::{Error, Internal};

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store cannot be reached, is overloaded or refuses writes. Whether a write was done is unknown.
    #[error("the {store} does not answer")]
    Unavailable {
        /// `database` or `ephemeral store`.
        store: &'static str,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The store cannot be opened. The sentence names the setting to correct.
    #[error("{what}")]
    NotOpened {
        what: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Another row already has this key. The caller that wrote the row decides what to answer.
    #[error("the {0} is taken")]
    Conflict(UniqueKey),
    /// The stored data or the schema is not what this program writes.
    #[error("{0}")]
    Corrupt(String),
    /// The store refused what this program sent (a bug), or a setting cannot be used.
    #[error("the {store} refused a statement")]
    Broken {
        store: &'static str,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UniqueKey {
    UserId,
    /// The name of a user. It differs from every other user's name and address.
    Username,
    /// The address of a user. It differs from every other user's name and address.
    Email,
    ClientId,
    SessionId,
    BrowserSessionId,
    BrowserSessionCookie,
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

/// Maps a store that cannot answer to a 503 with nothing consumed, and everything else to an internal error.
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
