//! Parses the configuration file.

use toml::Table;

/// Parses TOML, or says what is wrong and where. The line that the parser would quote is left out, because it may hold
/// a secret.
pub(super) fn parse(text: &str) -> Result<Table, String> {
    text.parse().map_err(|error: toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("the file is not TOML: line {line}, column {column}: {}", error.message())
    })
}
