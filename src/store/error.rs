//! What a store may answer when it does not answer.

use crate::protocol::{Error, Internal};

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
    /// The thing exists already.
    #[error("{0} exists already")]
    Conflict(&'static str),
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
