//! Reads settings from environment variables.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::Path;

use toml::{Table, Value};

use super::nearest::nearest;
use super::shape::{self, Kind, Shape};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Key(&'static str),
    Index(usize),
}

pub(super) struct Assigned {
    values: BTreeMap<Vec<Step>, Value>,
    /// The variable that set each setting, by the name of the setting.
    variables: BTreeMap<String, String>,
}

/// Collects the settings in the environment. An empty variable counts as not set, because compose files and unit files
/// write "nothing" that way. A variable that begins with `TOKENHOUSE_` but names no setting is a problem, unless
/// Kubernetes set it.
pub(super) fn collect(
    shape: &Shape,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    read: impl Fn(&Path) -> io::Result<String>,
    problems: &mut Vec<String>,
) -> Assigned {
    let known = Variables::of(shape);
    let mut assigned = Assigned { values: BTreeMap::new(), variables: BTreeMap::new() };
    for (variable, text) in variables {
        let Some(variable) = variable.to_str().filter(|_| !text.is_empty()) else { continue };
        let Some((path, shape, content)) = known.find(variable) else {
            if variable.starts_with("TOKENHOUSE_") && !is_service_link(variable) {
                problems.push(known.unknown(variable));
            }
            continue;
        };
        let name = name(&path);
        if let Some(other) = assigned.variables.insert(name.clone(), variable.to_owned()) {
            problems.push(format!("{name}: is set by both {other} and {variable}"));
            continue;
        }
        let text = text.into_string().map_err(|_| "is not UTF-8".to_owned()).and_then(|text| content.text(text, &read));
        match text.and_then(|text| typed(shape, &text)) {
            Ok(value) => drop(assigned.values.insert(path, value)),
            Err(problem) => problems.push(format!("{name} ({variable}): {problem}")),
        }
    }
    assigned
}

impl Assigned {
    /// Drops the values that belong into lists of the file.
    pub(super) fn forget_lists(&mut self) {
        self.values.retain(|path, _| path.iter().all(|step| matches!(step, Step::Key(_))));
    }

    /// Writes the values over those in `tree`, and returns which variable set what.
    pub(super) fn apply(self, tree: &mut Table, problems: &mut Vec<String>) -> BTreeMap<String, String> {
        for (path, value) in self.values {
            if let Err(problem) = put(tree, &path, value) {
                let name = name(&path);
                let variable = self.variables.get(&name).map_or("", String::as_str);
                problems.push(format!("{name} ({variable}): {problem}"));
            }
        }
        self.variables
    }
}

/// Whether a variable holds the value or names the file that does.
#[derive(Debug, Clone, Copy)]
enum Content {
    Value,
    File,
}

impl Content {
    fn text(self, text: String, read: impl Fn(&Path) -> io::Result<String>) -> Result<String, String> {
        match self {
            Self::Value => Ok(text),
            Self::File => read(Path::new(&text))
                .map(|text| text.trim_end_matches(['\r', '\n']).to_owned())
                .map_err(|error| format!("cannot read {text}: {error}")),
        }
    }
}

struct Variables<'shape> {
    shape: &'shape Shape,
    /// The long name for each short name.
    short: BTreeMap<&'static str, String>,
}

impl<'shape> Variables<'shape> {
    fn of(shape: &'shape Shape) -> Self {
        let settings = shape.settings().into_iter();
        let short = settings.filter_map(|(name, setting)| Some((setting.variable?, shape::variable(&name))));
        Self { shape, short: short.collect() }
    }

    /// Finds the setting that `variable` sets. A secret can also be read from a file: the name of its variable with
    /// `_FILE` at the end names that file, unless this is a setting of its own.
    fn find(&self, variable: &str) -> Option<(Vec<Step>, &'shape Shape, Content)> {
        let simplejwt = self.named(variable).map(|(path, shape)| (path, shape, Content::Value));
        simplejwt.or_else(|| {
            let (path, shape) = self.named(variable.strip_suffix("_FILE")?)?;
            shape.is_secret().then_some((path, shape, Content::File))
        })
    }

    fn named(&self, variable: &str) -> Option<(Vec<Step>, &'shape Shape)> {
        let long = self.short.get(variable).map_or(variable, String::as_str);
        let parts: Vec<&str> = long.strip_prefix("TOKENHOUSE__")?.split("__").collect();
        let mut path = Vec::new();
        let shape = walk(self.shape, &parts, &mut path)?;
        Some((path, shape))
    }

    fn unknown(&self, variable: &str) -> String {
        let name = variable.trim_start_matches("TOKENHOUSE").trim_start_matches('_').replace("__", ".").to_lowercase();
        let names: Vec<String> = self.shape.settings().into_iter().map(|(name, _)| name).collect();
        match nearest(&name, &names) {
            Some(nearest) => format!("{variable}: there is no such setting; is {} meant?", shape::variable(nearest)),
            None => format!("{variable}: there is no such setting"),
        }
    }
}

/// Follows the parts of a variable's name: keys in capitals, and numbers in lists of sections.
fn walk<'shape>(shape: &'shape Shape, parts: &[&str], path: &mut Vec<Step>) -> Option<&'shape Shape> {
    let Some((part, rest)) = parts.split_first() else { return Some(shape) };
    let next = match shape {
        Shape::Table(section) => {
            let setting = section.settings.iter().find(|setting| setting.name.to_uppercase() == *part)?;
            path.push(Step::Key(setting.name));
            &setting.shape
        }
        Shape::List(item) => {
            item.section()?;
            path.push(Step::Index(part.parse().ok()?));
            item
        }
        Shape::Scalar(_) => return None,
    };
    walk(next, rest, path)
}

fn name(path: &[Step]) -> String {
    let name: String = path
        .iter()
        .map(|step| match step {
            Step::Key(key) => format!(".{key}"),
            Step::Index(index) => format!("[{index}]"),
        })
        .collect();
    name.trim_start_matches('.').to_owned()
}

/// Writes `value` at `path` in `table`. A number selects a section of a list, or appends the next one. Where the file
/// has something other than a section or a list on the path, nothing is written: reading the settings reports it.
fn put(table: &mut Table, path: &[Step], value: Value) -> Result<(), String> {
    let [Step::Key(key), rest @ ..] = path else { return Ok(()) };
    match rest {
        [] => drop(table.insert((*key).to_owned(), value)),
        [Step::Key(_), ..] => {
            if let Value::Table(section) = table.entry(*key).or_insert_with(|| Value::Table(Table::new())) {
                return put(section, rest, value);
            }
        }
        [Step::Index(index), rest @ ..] => {
            if let Value::Array(items) = table.entry(*key).or_insert_with(|| Value::Array(Vec::new())) {
                if *index == items.len() {
                    items.push(Value::Table(Table::new()));
                }
                let next = items.len();
                match items.get_mut(*index) {
                    Some(Value::Table(section)) => return put(section, rest, value),
                    Some(_) => {}
                    None => return Err(format!("there are only {next} of these sections, numbered from 0")),
                }
            }
        }
    }
    Ok(())
}

/// Whether Kubernetes set the variable. It does so in every container for each Service of the namespace, and a Service
/// named `tokenhouse` is likely.
fn is_service_link(variable: &str) -> bool {
    let is_port = |rest: &str| {
        let mut parts = rest.split('_');
        let number = parts.next().unwrap_or_default();
        !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
            && matches!(parts.next(), Some("TCP" | "UDP" | "SCTP"))
            && matches!(parts.next(), None | Some("PROTO" | "PORT" | "ADDR"))
    };
    variable.ends_with("_SERVICE_HOST")
        || variable.contains("_SERVICE_PORT")
        || variable.ends_with("_PORT")
        || variable.split_once("_PORT_").is_some_and(|(_, rest)| is_port(rest))
}

fn typed(shape: &Shape, text: &str) -> Result<Value, String> {
    match shape {
        Shape::Scalar(scalar) => match scalar.kind {
            Kind::Text | Kind::Secret => Ok(text.into()),
            Kind::Number => {
                text.trim().parse().map(Value::Integer).map_err(|_| format!("`{text}` is not a whole number"))
            }
            Kind::Switch => {
                text.trim().parse().map(Value::Boolean).map_err(|_| format!("`{text}` is not true or false"))
            }
        },
        Shape::List(item) if item.section().is_none() => {
            let items = text.split(',').map(str::trim).filter(|text| !text.is_empty());
            items.map(|text| typed(item, text)).collect::<Result<_, _>>().map(Value::Array)
        }
        Shape::List(_) => {
            Err("is a list of sections: name one by its number, and a setting, as in __0__NAME".to_owned())
        }
        Shape::Table(_) => Err("is a section: name a setting in it, as in __NAME".to_owned()),
    }
}
