//! Reads the file and the environment.

use std::path::Path;

use super::Config;

/// All problems of a configuration at once, each with the setting's name.
#[derive(Debug, thiserror::Error)]
#[error("the configuration has problems:\n{}", .problems.iter().map(|problem| format!("  - {problem}")).collect::<Vec<_>>().join("\n"))]
pub struct ConfigError {
    /// One sentence each.
    pub problems: Vec<String>,
}

/// Reads `file` (`tokenhouse.toml` if it exists, where none is named), then the environment over it, and checks it.
pub fn load(file: Option<&Path>) -> Result<Config, ConfigError> {
    let _ = file;
    todo!()
}
