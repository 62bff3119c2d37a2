//! From the file to settings.

use ::config::{File, FileFormat, Source};
use serde_json::{Map, Value};

use super::load::{AllGiven, Given};
use super::settings;

/// Adds what the TOML `text` sets to `given`; names that do not exist are problems. Fails if it is no TOML.
pub(super) fn collect(text: &str, given: &mut AllGiven, problems: &mut Vec<String>) -> Result<(), String> {
    for (name, value) in parse(text)? {
        match value {
            Value::Object(section) if settings::is_section(&name) => {
                for (key, value) in section {
                    take(&format!("{name}.{key}"), value, given, problems);
                }
            }
            _ if settings::is_section(&name) => problems.push(format!("{name}: is a section, write [{name}]")),
            value => take(&name, value, given, problems),
        }
    }
    Ok(())
}

fn parse(text: &str) -> Result<Map<String, Value>, String> {
    let values = File::from_str(text, FileFormat::Toml).collect().map_err(|error| cause(&error))?;
    values
        .into_iter()
        .map(|(name, value)| Ok((name, value.try_deserialize().map_err(|error| cause(&error))?)))
        .collect()
}

/// What is wrong and where. The parser also quotes the line, which may hold a secret, so that is left out.
fn cause(error: &::config::ConfigError) -> String {
    let text = match error {
        ::config::ConfigError::FileParse { cause, .. } => cause.to_string(),
        other => other.to_string(),
    };
    let is_quoted =
        |line: &&str| line.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == ' ').starts_with('|');
    format!("the file is not TOML: {}", text.lines().filter(|line| !is_quoted(line)).collect::<Vec<_>>().join(": "))
}

fn take(name: &str, value: Value, given: &mut AllGiven, problems: &mut Vec<String>) {
    match settings::named(name) {
        Some(setting) => drop(given.insert(setting.name, (setting, Given { name: name.to_owned(), value }))),
        None => problems.push(match settings::nearest(name) {
            Some(nearest) => format!("{name}: there is no such setting; is {nearest} meant?"),
            None => format!("{name}: there is no such setting"),
        }),
    }
}
