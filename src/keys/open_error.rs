//! Why the start of the keyring failed.

/// Why the keyring could not be opened; each message names the file or variable and the fix.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct OpenError(pub String);
