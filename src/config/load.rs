//! Reads the file, then the environment over it, and collects every problem.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::Path;

use toml::{Table, Value};

use super::check::{check, follow_listen};
use super::declare::Setting;
use super::reader::Reader;
use super::settings::Config;
use super::shape::Shape;
use super::{environment, file};

/// Every problem of a configuration, each with the name of its setting.
#[derive(Debug, thiserror::Error)]
#[error("the configuration has problems:\n{}", .problems.iter().map(|problem| format!("  - {problem}")).collect::<Vec<_>>().join("\n"))]
pub struct ConfigError {
    pub problems: Vec<String>,
}

/// Reads `file`, then the environment over it, and checks the result. Without `file`, reads `tokenhouse.toml` if it
/// exists.
#[expect(clippy::disallowed_methods, reason = "the one function that reads the environment")]
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

/// Does the work of [`load`] without the system. It receives the text of the file, the environment, and a function
/// that reads the files that hold secrets.
pub(super) fn assemble(
    text: Option<&str>,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    read: impl Fn(&Path) -> io::Result<String>,
) -> Result<Config, ConfigError> {
    let mut problems = Vec::new();
    let source = Source::collect::<Config>(text.unwrap_or_default(), variables, read, &mut problems);
    let (is_toml, has_issuer) = (source.is_toml, source.tree.contains_key("issuer"));
    let mut config: Config = source.read(&mut problems).unwrap_or_default();
    // The settings in a file that is not TOML are unknown, so settings cannot be checked together.
    if is_toml {
        if !has_issuer {
            follow_listen(&mut config, &mut problems);
        }
        check(&config, &mut problems);
    }
    if problems.is_empty() { Ok(config) } else { Err(ConfigError { problems }) }
}

/// The combined settings of the file and the environment, not yet read.
pub(super) struct Source {
    tree: Table,
    shape: Shape,
    /// Which variable set what, by the name of the setting.
    variables: BTreeMap<String, String>,
    is_toml: bool,
}

impl Source {
    pub(super) fn collect<T: Setting>(
        text: &str,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        read: impl Fn(&Path) -> io::Result<String>,
        problems: &mut Vec<String>,
    ) -> Self {
        let shape = T::shape();
        let file = file::parse(text).map_err(|problem| problems.push(problem));
        let is_toml = file.is_ok();
        let mut tree = file.unwrap_or_default();
        let mut assigned = environment::collect(&shape, variables, read, problems);
        if !is_toml {
            assigned.forget_lists();
        }
        let variables = assigned.apply(&mut tree, problems);
        Self { tree, shape, variables, is_toml }
    }

    /// Reads the settings. A setting that cannot be used gets its default.
    pub(super) fn read<T: Setting>(self, problems: &mut Vec<String>) -> Option<T> {
        let names: Vec<String> = self.shape.settings().into_iter().map(|(name, _)| name).collect();
        T::read(Value::Table(self.tree), &mut Reader::new(&names, &self.variables, problems))
    }
}
