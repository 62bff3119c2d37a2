//! `[log]`

use serde::{Deserialize, Serialize};

use crate::config::declare::{require, settings};
use crate::config::values::word_setting;

settings! {
    /// The log, on standard error.
    pub struct Log {
        /// What is logged: `error`, `warn`, `info`, `debug`, `trace`, or a filter such as `info,tokenhouse=debug`.
        level: String = "info".to_owned(), check filter;
        /// `text` for people, or `json` with one object a line.
        format: LogFormat = LogFormat::Text;
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for machines.
    Json,
}

word_setting!(LogFormat);

impl LogFormat {
    const ALL: [Self; 2] = [Self::Text, Self::Json];
}

/// A word alone would be taken for the name of a part of the program, and everything else would fall silent.
fn filter(filter: &str) -> Result<(), String> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let is_level = |word: &str| LEVELS.iter().any(|level| level.eq_ignore_ascii_case(word));
    let last = |part: &str| part.rsplit('=').next().is_some_and(|word| is_level(word.trim()));
    let problem = "must be off, error, warn, info, debug, trace, or a filter such as `info,tokenhouse=debug`";
    require(filter.split(',').all(last), problem)
}
