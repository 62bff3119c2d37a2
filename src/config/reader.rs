//! Where in the configuration something is read, and the problems that were found.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use serde::de::value::Error as WordError;
use serde::de::{DeserializeOwned, IntoDeserializer};
use toml::Value;

use super::nearest::nearest;
use super::shape::Kind;

/// Where the reader stands, and what it found to be wrong.
pub(super) struct Reader<'load> {
    /// The name of the setting that is being read: `section.key`, or `list[0].key`.
    name: String,
    /// Which variable of the environment set what, by name.
    variables: &'load BTreeMap<String, String>,
    /// The names of all settings.
    names: &'load [String],
    problems: &'load mut Vec<String>,
}

impl<'load> Reader<'load> {
    /// A reader of settings that have these `names`, and of which some were set by `variables`.
    pub(super) const fn new(
        names: &'load [String],
        variables: &'load BTreeMap<String, String>,
        problems: &'load mut Vec<String>,
    ) -> Self {
        Self { name: String::new(), variables, names, problems }
    }

    /// Reports a problem with the setting that is being read.
    pub(super) fn problem(&mut self, problem: impl Display) {
        let problem = match self.variables.get(&self.name) {
            Some(variable) => format!("{} ({variable}): {problem}", self.name),
            None => format!("{}: {problem}", self.name),
        };
        self.problems.push(problem);
    }

    /// The value, if it is of this kind.
    pub(super) fn of_kind<'value>(&mut self, kind: Kind, value: &'value Value) -> Option<&'value Value> {
        if !kind.admits(value) {
            self.problem(format_args!("must be {}", kind.form()));
        }
        kind.admits(value).then_some(value)
    }

    /// Reads text.
    pub(super) fn text(&mut self, value: Value) -> Option<String> {
        self.of_kind(Kind::Text, &value)?;
        if let Value::String(text) = value { Some(text) } else { None }
    }

    /// Reads what is written as text.
    pub(super) fn parsed<T: FromStr<Err: Display>>(&mut self, value: Value) -> Option<T> {
        let parsed = self.text(value)?.parse();
        self.or_problem(parsed)
    }

    /// Reads one of a few words.
    pub(super) fn word<T: DeserializeOwned>(&mut self, value: Value) -> Option<T> {
        let read = T::deserialize(IntoDeserializer::<WordError>::into_deserializer(self.text(value)?));
        self.or_problem(read)
    }

    /// Reports that there is no setting of this name; its siblings could be meant.
    pub(super) fn unknown(&mut self, siblings: impl Iterator<Item = String>) {
        let names: Vec<String> = siblings.chain(self.names.iter().cloned()).collect();
        match nearest(&self.name, &names) {
            Some(nearest) => self.problem(format_args!("there is no such setting; is {nearest} meant?")),
            None => self.problem("there is no such setting"),
        }
    }

    /// The name of the setting that is being read.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What was read, or nothing and the problem reported.
    pub(super) fn or_problem<T>(&mut self, read: Result<T, impl Display>) -> Option<T> {
        read.map_err(|problem| self.problem(problem)).ok()
    }

    /// Reads what stands at `step` under the present name.
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
