//! Describes settings for the code that does not know their types: the environment, the documentation and the schema.

use serde::Serialize;
use toml::Value;

/// The form of a setting's values.
#[derive(Debug)]
pub(super) enum Shape {
    Scalar(Scalar),
    /// Several values, or several sections.
    List(Box<Shape>),
    Table(Table),
}

#[derive(Debug)]
pub(super) struct Table {
    pub(super) about: String,
    pub(super) settings: Vec<Described>,
}

#[derive(Debug)]
pub(super) struct Scalar {
    pub(super) kind: Kind,
    /// A regular expression that text matches (ECMA-262, for editors).
    pub(super) pattern: Option<&'static str>,
    /// The allowed words, where there are only a few.
    pub(super) words: Vec<String>,
}

/// The type of a value in TOML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text, a duration, a path, one of several words.
    Text,
    /// Text that is never printed.
    Secret,
    Number,
    Switch,
}

#[derive(Debug)]
pub(super) struct Described {
    pub(super) name: &'static str,
    /// Its documentation, in a sentence or two; empty for a section, which documents itself.
    pub(super) about: String,
    pub(super) default: Option<Value>,
    pub(super) is_required: bool,
    /// The short name of its environment variable.
    pub(super) variable: Option<&'static str>,
    pub(super) range: Option<(Value, Value)>,
    pub(super) shape: Shape,
}

impl Kind {
    pub(super) const fn form(self) -> &'static str {
        match self {
            Self::Text | Self::Secret => "text in quotation marks",
            Self::Number => "a whole number",
            Self::Switch => "true or false",
        }
    }

    pub(super) fn admits(self, value: &Value) -> bool {
        match self {
            Self::Text | Self::Secret => value.is_str(),
            Self::Number => value.is_integer(),
            Self::Switch => value.is_bool(),
        }
    }
}

impl Shape {
    pub(super) const fn of(kind: Kind) -> Self {
        Self::Scalar(Scalar { kind, pattern: None, words: Vec::new() })
    }

    pub(super) const fn text(pattern: Option<&'static str>) -> Self {
        Self::Scalar(Scalar { kind: Kind::Text, pattern, words: Vec::new() })
    }

    /// One of these words, as Serde writes them.
    pub(super) fn words(words: &[impl Serialize]) -> Self {
        let words = words.iter().filter_map(|word| Value::try_from(word).ok()?.as_str().map(str::to_owned));
        Self::Scalar(Scalar { kind: Kind::Text, pattern: None, words: words.collect() })
    }

    /// The section itself, or the section of each item of a list.
    pub(super) fn section(&self) -> Option<&Table> {
        match self {
            Self::Table(section) => Some(section),
            Self::List(item) => item.section(),
            Self::Scalar(_) => None,
        }
    }

    /// Whether its values must not be printed.
    pub(super) fn is_secret(&self) -> bool {
        matches!(self, Self::Scalar(scalar) if scalar.kind == Kind::Secret)
    }

    /// Every setting outside lists by its full name, `section.key`, in the order of declaration.
    pub(super) fn settings(&self) -> Vec<(String, &Described)> {
        let Self::Table(section) = self else { return Vec::new() };
        let mut all = Vec::new();
        for setting in &section.settings {
            match &setting.shape {
                Self::Table(_) => {
                    let inner = setting.shape.settings().into_iter();
                    all.extend(inner.map(|(name, inner)| (format!("{}.{name}", setting.name), inner)));
                }
                Self::Scalar(_) | Self::List(_) => all.push((setting.name.to_owned(), setting)),
            }
        }
        all
    }
}

impl Described {
    /// Its documentation, followed by its range.
    pub(super) fn documentation(&self) -> String {
        match &self.range {
            Some((least, most)) => format!("{} Between {} and {}.", self.about, written(least), written(most)),
            None => self.about.clone(),
        }
    }
}

/// Formats a value as an administrator writes it.
pub(super) fn written(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => text.clone(),
        other => serde_json::json!(other).to_string(),
    }
}

/// Joins the lines of a doc comment.
pub(super) fn joined(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}

/// The long name of a setting's environment variable.
pub(super) fn variable(name: &str) -> String {
    format!("TOKENHOUSE__{}", name.replace('.', "__").to_uppercase())
}
