//! From environment variables to settings.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::Path;

use serde_json::Value;

use super::load::{AllGiven, Given};
use super::settings::{self, Kind, SETTINGS, Setting};

/// Puts what the environment sets over `given`. An empty variable counts as not set, since that is how compose files
/// and unit files write "nothing". Variables that look like ours and are not are problems.
pub(super) fn collect(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    read: impl Fn(&Path) -> io::Result<String>,
    given: &mut AllGiven,
    problems: &mut Vec<String>,
) {
    let names = Names::all();
    let mut by: BTreeMap<&'static str, String> = BTreeMap::new();
    for (variable, text) in variables {
        let Some(variable) = variable.to_str().filter(|_| !text.is_empty()) else { continue };
        let Some((setting, source)) = names.find(variable) else {
            if variable.starts_with("TOKENHOUSE_") && !is_service_link(variable) {
                problems.push(unknown(variable));
            }
            continue;
        };
        if let Some(other) = by.insert(setting.name, variable.to_owned()) {
            problems.push(format!("{}: is set by both {other} and {variable}", setting.name));
            continue;
        }
        let name = format!("{} ({variable})", setting.name);
        let text = text.into_string().map_err(|_| "is not UTF-8".to_owned()).and_then(|text| source.text(text, &read));
        match text.and_then(|text| typed(setting, text)) {
            Ok(value) => drop(given.insert(setting.name, (setting, Given { name, value }))),
            Err(problem) => problems.push(format!("{name}: {problem}")),
        }
    }
}

/// Whether a variable holds the value, or names the file that does.
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

/// Every variable that is ours.
struct Names(BTreeMap<String, (&'static Setting, Content)>);

impl Names {
    fn all() -> Self {
        let mut names = BTreeMap::new();
        for setting in SETTINGS {
            names.insert(setting.long(), (setting, Content::Value));
            if let Some(short) = setting.short {
                names.insert(short.to_owned(), (setting, Content::Value));
            }
            if let Some(file) = setting.file_variable() {
                names.insert(file, (setting, Content::File));
            }
        }
        Self(names)
    }

    fn find(&self, variable: &str) -> Option<(&'static Setting, Content)> {
        self.0.get(variable).copied()
    }
}

/// Whether Kubernetes made the variable: it tells every container about each Service in its namespace, and a Service
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

fn unknown(variable: &str) -> String {
    let name = variable.trim_start_matches("TOKENHOUSE").trim_start_matches('_').replace("__", ".").to_lowercase();
    match settings::nearest(&name).and_then(settings::named) {
        Some(nearest) => format!("{variable}: there is no such setting; is {} meant?", nearest.long()),
        None => format!("{variable}: there is no such setting"),
    }
}

/// The text as a value of the setting's kind.
fn typed(setting: &Setting, text: String) -> Result<Value, String> {
    match setting.kind() {
        Kind::Text => Ok(text.into()),
        Kind::Number => {
            text.trim().parse::<i64>().map(Value::from).map_err(|_| format!("`{text}` is not a whole number"))
        }
        Kind::Switch => {
            text.trim().parse::<bool>().map(Value::from).map_err(|_| format!("`{text}` is not true or false"))
        }
        Kind::List => Ok(text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect()),
    }
}
