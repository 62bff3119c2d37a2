//! Reads Rust, as far as paths go.

use std::collections::BTreeMap;

use crate::lexer::{Token, tokens, without_comments_and_texts};

/// A path as written, groups taken apart: `use a::{b, c::d}` is two of them, `a::b` and `a::c::d`.
#[derive(Debug, Clone)]
pub(crate) struct Used {
    pub(crate) line: usize,
    pub(crate) names: Vec<String>,
    /// The names of the `mod name { }` around it, in this file.
    pub(crate) inside: Vec<String>,
    /// Whether it stands in a `pub use`, of whatever visibility.
    pub(crate) is_reexport: bool,
}

impl Used {
    pub(crate) fn text(&self) -> String {
        self.names.join("::")
    }

    /// The top module that the path leads to, seen from the module `here`, if it goes by way of `crate` or `super`.
    pub(crate) fn module(&self, here: &[String]) -> Option<String> {
        absolute(&self.names, here.iter().chain(&self.inside)).and_then(|names| names.into_iter().next())
    }
}

/// `names` from the crate's root on, seen from the module `here`; `None` unless they begin with `crate`, `super` or
/// `self`.
pub(crate) fn absolute<'a>(names: &[String], here: impl Iterator<Item = &'a String>) -> Option<Vec<String>> {
    let mut names = names.iter().peekable();
    let mut module: Vec<String> = match names.peek()?.as_str() {
        "crate" => {
            names.next();
            Vec::new()
        }
        "super" | "self" => here.cloned().collect(),
        _ => return None,
    };
    while let Some(step) = names.next_if(|name| matches!(name.as_str(), "super" | "self")) {
        if step == "super" {
            module.pop();
        }
    }
    module.extend(names.cloned());
    Some(module)
}

/// What a file says about other modules and packages.
#[derive(Default)]
pub(crate) struct Source {
    /// Its `mod name;` lines, in order.
    pub(crate) modules: Vec<String>,
    pub(crate) paths: Vec<Used>,
    /// What a name in this file stands for, where it is not a package.
    pub(crate) meanings: BTreeMap<String, Vec<String>>,
    /// What it re-exports, by the name that others use.
    pub(crate) reexports: BTreeMap<String, Vec<String>>,
}

impl Source {
    pub(crate) fn parse(text: &str) -> Self {
        let tokens = tokens(&without_comments_and_texts(text));
        let mut reader = Reader::new(&tokens);
        reader.file();
        reader.source
    }

    /// The path with its first name replaced by what this file imported under that name. So `toml::Table` after
    /// `use crate::toml` is not the package, and `rand::fill` after `use aws_lc_rs::rand` is.
    pub(crate) fn full(&self, used: &Used) -> Vec<String> {
        match self.meanings.get(&used.names[0]) {
            Some(meaning) => [meaning, &used.names[1..]].concat(),
            _ => used.names.iter().filter(|name| !name.is_empty()).cloned().collect(),
        }
    }
}

/// After these, a `::` begins a new path: `for x in ::std::env::args()`.
const KEYWORDS: &[&str] = &["as", "dyn", "else", "for", "if", "impl", "in", "match", "mut", "return", "where", "while"];

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    /// The `mod name { }` that are open, with the depth of braces outside each.
    inside: Vec<(usize, String)>,
    depth: usize,
    /// What the path that is being read stands in.
    kind: PathKind,
    source: Source,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum PathKind {
    Code,
    Import,
    Reexport,
}

impl<'a> Reader<'a> {
    fn new(tokens: &'a [Token]) -> Self {
        Self { tokens, at: 0, inside: Vec::new(), depth: 0, kind: PathKind::Code, source: Source::default() }
    }

    fn peek(&self, ahead: usize) -> &str {
        self.tokens.get(self.at + ahead).map_or("", |token| &token.text)
    }

    fn file(&mut self) {
        while self.at < self.tokens.len() {
            match self.peek(0) {
                "{" => {
                    self.depth += 1;
                    self.at += 1;
                }
                "}" => {
                    self.depth = self.depth.saturating_sub(1);
                    self.inside.retain(|(outside, _)| *outside < self.depth);
                    self.at += 1;
                }
                "pub" if self.peek(1) == "(" => self.visibility(),
                "mod" => self.module(),
                "use" => {
                    let kind = if self.is_public() { PathKind::Reexport } else { PathKind::Import };
                    self.at += 1;
                    self.path(kind);
                }
                "extern" if self.peek(1) == "crate" => {
                    self.at += 2;
                    self.path(PathKind::Import);
                }
                first if KEYWORDS.contains(&first) => self.at += 1,
                first if is_name(first) || first == "::" => self.path(PathKind::Code),
                _ => self.at += 1,
            }
        }
    }

    /// `pub(in crate::http)` says who may name a thing, and uses nothing.
    fn visibility(&mut self) {
        while !matches!(self.peek(0), ")" | "") {
            self.at += 1;
        }
    }

    fn module(&mut self) {
        let name = self.peek(1).to_owned();
        if self.peek(2) == "{" {
            self.inside.push((self.depth, name.clone()));
        } else if self.peek(2) == ";" && self.inside.is_empty() {
            self.source.modules.push(name.clone());
        }
        self.source.meanings.insert(name.clone(), vec!["self".to_owned(), name]);
        self.at += 2;
    }

    /// Whether `pub` or `pub(…)` stands before what is read now.
    fn is_public(&self) -> bool {
        let before = self.tokens[..self.at].iter().rev().map(|token| token.text.as_str());
        let mut words = before.skip_while(|text| !matches!(*text, "pub" | ";" | "{" | "}" | "]"));
        words.next() == Some("pub")
    }

    fn path(&mut self, kind: PathKind) {
        self.kind = kind;
        self.tree(&[]);
    }

    /// Reads one path, or one tree of them, that continues `before`.
    fn tree(&mut self, before: &[String]) {
        let import = self.kind != PathKind::Code;
        let line = self.tokens[self.at].line;
        let mut names = before.to_vec();
        if self.peek(0) == "::" && names.is_empty() {
            names.push(String::new()); // `::sqlx`: a package, whatever else is called that here
            self.at += 1;
        }
        loop {
            match self.peek(0) {
                "{" if import => {
                    self.at += 1;
                    while !matches!(self.peek(0), "}" | "") {
                        if self.peek(0) == "," { self.at += 1 } else { self.tree(&names) }
                    }
                    self.at += 1;
                    return;
                }
                "*" if import => names.push("*".to_owned()),
                name if is_name(name) => names.push(name.to_owned()),
                _ => {
                    // Not a path after all, as the `::` before a generic argument; do not read it again.
                    if names.len() == before.len() {
                        self.at += 1;
                    }
                    return;
                }
            }
            self.at += 1;
            if self.peek(0) != "::" || (!import && !is_name(self.peek(1))) {
                break;
            }
            self.at += 1;
        }
        let mut imported_as = import.then(|| called(&names));
        if import && self.peek(0) == "as" {
            imported_as = Some(self.peek(1).to_owned());
            self.at += 2;
        }
        match imported_as {
            Some(name) => {
                let meaning: Vec<String> = names.iter().filter(|name| !name.is_empty()).cloned().collect();
                if self.kind == PathKind::Reexport {
                    self.source.reexports.insert(name.clone(), meaning.clone());
                }
                self.source.meanings.insert(name, meaning);
            }
            None if names.len() < 2 => return, // a variable, a field, a type: nothing but a name
            None => {}
        }
        let inside = self.inside.iter().map(|(_, name)| name.clone()).collect();
        self.source.paths.push(Used { line, names, inside, is_reexport: self.kind == PathKind::Reexport });
    }
}

/// The name that an import brings: the last one, and for `a::b::self` the one before.
fn called(names: &[String]) -> String {
    let mut names = names.iter().rev();
    match names.next() {
        Some(last) if last == "self" => names.next().unwrap_or(last).clone(),
        Some(last) => last.clone(),
        None => String::new(),
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_alphabetic() || first == '_')
}
