//! The error of opening the keyring. Each message names the file or variable and the fix.

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct OpenError(pub String);
