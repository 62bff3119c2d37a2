//! Tracks which setting is being read, and collects problems.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use serde::de::value::Error as WordError;
use serde::de::{DeserializeOwned, IntoDeserializer};
use toml::Value;

use super::nearest::nearest;
use super::shape::Kind;

/// Reads values and collects the problems with them.
pub(super) struct Reader<'load> {
    /// The name of the setting that is being read: `section.key`, or `list[0].key`.
    name: String,
    /// Which environment variable set what, by the name of the setting.
    variables: &'load BTreeMap<String, String>,
    names: &'load [String],
    problems: &'load mut Vec<String>,
}

impl<'load> Reader<'load> {
    /// Creates a reader of settings with these `names`, some of which were set by `variables`.
    pub(super) const fn new(
        names: &'load [String],
        variables: &'load BTreeMap<String, String>,
        problems: &'load mut Vec<String>,
    ) -> Self {
        Self { name: String::new(), variables, names, problems }
    }

    pub(super) fn problem(&mut self, problem: impl Display) {
        let problem = match self.variables.get(&self.name) {
            Some(variable) => format!("{} ({variable}): {problem}", self.name),
            None => format!("{}: {problem}", self.name),
        };
        self.problems.push(problem);
    }

    /// Returns the value if it is of this kind, and reports a problem otherwise.
    pub(super) fn of_kind<'value>(&mut self, kind: Kind, value: &'value Value) -> Option<&'value Value> {
        if !kind.admits(value) {
            self.problem(format_args!("must be {}", kind.form()));
        }
        kind.admits(value).then_some(value)
    }

    pub(super) fn text(&mut self, value: Value) -> Option<String> {
        self.of_kind(Kind::Text, &value)?;
        if let Value::String(text) = value { Some(text) } else { None }
    }

    pub(super) fn parsed<T: FromStr<Err: Display>>(&mut self, value: Value) -> Option<T> {
        let parsed = self.text(value)?.parse();
        self.or_problem(parsed)
    }

    pub(super) fn word<T: DeserializeOwned>(&mut self, value: Value) -> Option<T> {
        let read = T::deserialize(IntoDeserializer::<WordError>::into_deserializer(self.text(value)?));
        self.or_problem(read)
    }

    /// Reports an unknown setting, and suggests the nearest name among its siblings and all settings.
    pub(super) fn unknown(&mut self, siblings: impl Iterator<Item = String>) {
        let names: Vec<String> = siblings.chain(self.names.iter().cloned()).collect();
        match nearest(&self.name, &names) {
            Some(nearest) => self.problem(format_args!("there is no such setting; is {nearest} meant?")),
            None => self.problem("there is no such setting"),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the value, or reports the problem.
    pub(super) fn or_problem<T>(&mut self, read: Result<T, impl Display>) -> Option<T> {
        read.map_err(|problem| self.problem(problem)).ok()
    }

    /// Runs `read` with `step` appended to the current name.
    pub(super) fn under<R>(&mut self, step: &str, read: impl FnOnce(&mut Self) -> R) -> R {
        let length = self.name.len();
        if length > 0 && !step.starts_with('[') {
            self.name.push('.');
        }
        self.name.push_str(step);
        let result = read(self);
        self.name.truncate(length);
        result
    }
}
