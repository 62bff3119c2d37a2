//! Reads the file, then the environment over it, and collects every problem on the way.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::Path;

use serde_json::{Map, Value};

use super::check::{check, follow_listen};
use super::settings::{Kind, Setting};
use super::{Config, environment, file};

/// All problems of a configuration at once, each with the setting's name.
#[derive(Debug, thiserror::Error)]
#[error("the configuration has problems:\n{}", .problems.iter().map(|problem| format!("  - {problem}")).collect::<Vec<_>>().join("\n"))]
pub struct ConfigError {
    /// One sentence each.
    pub problems: Vec<String>,
}

/// Reads `file` (`tokenhouse.toml` if it exists, where none is named), then the environment over it, and checks it.
#[expect(clippy::disallowed_methods, reason = "the only code that reads the environment")]
pub fn load(file: Option<&Path>) -> Result<Config, ConfigError> {
    let text = read_file(file).map_err(|problem| ConfigError { problems: vec![problem] })?;
    assemble(text.as_deref(), std::env::vars_os(), |path| std::fs::read_to_string(path))
}

fn read_file(file: Option<&Path>) -> Result<Option<String>, String> {
    let path = file.unwrap_or(Path::new("tokenhouse.toml"));
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound && file.is_none() => Ok(None),
        Err(error) => Err(format!("{}: cannot read the file: {error}", path.display())),
    }
}

/// A value that somebody set, not yet judged.
pub(super) struct Given {
    /// How to name it in a problem: the setting, and the variable where it came from one.
    pub name: String,
    /// The value, of whatever type was written.
    pub value: Value,
}

/// What was set, by setting.
pub(super) type AllGiven = BTreeMap<&'static str, (&'static Setting, Given)>;

/// The whole of [`load`] without the system: the text of the file, the environment, and a way to read the files that
/// hold secrets.
pub(super) fn assemble(
    text: Option<&str>,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    read: impl Fn(&Path) -> io::Result<String>,
) -> Result<Config, ConfigError> {
    let mut problems = Vec::new();
    let mut given = AllGiven::new();
    let file = file::collect(text.unwrap_or_default(), &mut given, &mut problems);
    environment::collect(variables, read, &mut given, &mut problems);
    let mut config = build(&given, &mut problems);
    match file {
        Ok(()) if given.contains_key("issuer") => check(&config, &mut problems),
        Ok(()) => {
            follow_listen(&mut config, &mut problems);
            check(&config, &mut problems);
        }
        // What the file would have set is unknown, so the settings cannot be judged together.
        Err(problem) => problems.insert(0, problem),
    }
    if problems.is_empty() { Ok(config) } else { Err(ConfigError { problems }) }
}

/// The settings that are of the right type, over the defaults. Each is tried alone, so that every wrong one is named.
fn build(given: &AllGiven, problems: &mut Vec<String>) -> Config {
    let mut tree = Map::new();
    for (setting, given) in given.values() {
        match try_alone(setting, &given.value) {
            Ok(()) => insert(&mut tree, setting, given.value.clone()),
            Err(problem) => problems.push(format!("{}: {problem}", given.name)),
        }
    }
    serde_json::from_value(Value::Object(tree)).unwrap_or_else(|error| {
        problems.push(format!("the configuration as a whole: {error}"));
        Config::default()
    })
}

fn try_alone(setting: &Setting, value: &Value) -> Result<(), String> {
    match (setting.kind(), value) {
        (Kind::Text, Value::String(_))
        | (Kind::Switch, Value::Bool(_))
        | (Kind::List, Value::Array(_))
        | (Kind::Number, Value::Number(_)) => {}
        (Kind::Text, _) => return Err("must be text in quotation marks".to_owned()),
        (Kind::Switch, _) => return Err("must be true or false".to_owned()),
        (Kind::List, _) => return Err("must be a list".to_owned()),
        (Kind::Number, _) => return Err("must be a whole number".to_owned()),
    }
    let mut tree = Map::new();
    insert(&mut tree, setting, value.clone());
    serde_json::from_value::<Config>(Value::Object(tree)).map(drop).map_err(|error| error.to_string())
}

fn insert(tree: &mut Map<String, Value>, setting: &Setting, value: Value) {
    let Some(section) = setting.section() else {
        tree.insert(setting.key().to_owned(), value);
        return;
    };
    if let Value::Object(section) = tree.entry(section).or_insert_with(|| Value::Object(Map::new())) {
        section.insert(setting.key().to_owned(), value);
    }
}
