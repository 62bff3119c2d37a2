//! What a command prints: words for people, JSON for programs.

use std::io::{BufRead, IsTerminal, Write};
use std::process::ExitCode;

use serde::Serialize;
use serde_json::Value;

use crate::error::with_causes;
use crate::model::Secret;
use crate::sessions::Applied;

pub struct Answer {
    words: String,
    json: Value,
    failed: bool,
}

impl Answer {
    /// Makes an answer from one text. The JSON answer is the text itself where that is JSON, otherwise a JSON string.
    #[must_use]
    pub fn text(words: impl Into<String>) -> Self {
        let words = words.into();
        let json = serde_json::from_str(&words).unwrap_or_else(|_| Value::String(words.clone()));
        Self { words, json, failed: false }
    }

    #[must_use]
    pub fn new<T: Serialize>(words: impl Into<String>, json: &T) -> Self {
        Self { words: words.into(), json: serde_json::to_value(json).unwrap_or_default(), failed: false }
    }

    /// Makes an answer with one line an item, or `none` for an empty list.
    #[must_use]
    pub fn list<T: Serialize>(items: &[T], line: impl Fn(&T) -> String) -> Self {
        let words: Vec<String> = items.iter().map(line).collect();
        let words = if words.is_empty() { "none".to_owned() } else { words.join("\n") };
        Self::new(words, &items)
    }

    /// Makes the command exit with a failure status.
    #[must_use]
    pub fn failed(mut self) -> Self {
        self.failed = true;
        self
    }

    #[must_use]
    pub fn print(self, json: bool) -> ExitCode {
        let text = match json {
            // An empty answer prints nothing, not even an empty JSON string.
            _ if self.words.is_empty() => String::new(),
            true => serde_json::to_string_pretty(&self.json).unwrap_or_default(),
            false => self.words,
        };
        let mut out = std::io::stdout().lock();
        // A closed pipe is no panic, only a failure status.
        let written = if text.is_empty() { Ok(()) } else { writeln!(out, "{text}") };
        if written.is_err() || self.failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}

/// Describes where the end of sessions has taken effect.
#[must_use]
pub fn applied_words(applied: Applied) -> &'static str {
    match applied {
        Applied::Everywhere => "everywhere",
        Applied::Pending => {
            "in the database alone: Redis does not answer now, and is told by the running instances when it does"
        }
    }
}

/// Formats an error and its causes in one line.
#[must_use]
pub fn problem(error: impl std::error::Error) -> String {
    with_causes(&error)
}

/// Reads the first line of standard input, without its line end. An empty line is an error.
pub fn secret_from_stdin(what: &str) -> Result<Secret, String> {
    if std::io::stdin().is_terminal() {
        eprintln!("Type the {what} (it is shown) and press Enter:");
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(|error| format!("standard input: {error}"))?;
    let text = line.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(format!("standard input holds no {what}"));
    }
    Ok(Secret::new(text))
}
