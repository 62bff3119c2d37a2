//! Keeps the two rules of the tree's plan, by reading the source text under `src/`:
//!
//! 1. A module uses only the modules listed below it in `src/lib.rs`.
//! 2. Each outside package has one home; so has the environment.
//!
//! And the tests that `docs/threats.md` names beside the weaknesses of others must be there.
//!
//! A module is the first name under `src/`: `http` is `src/http.rs` or all of `src/http/`. `main.rs` and `lib.rs` stand
//! above all modules. The second half of this file plants violations, to show that they would be found.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

/// What has a home, and the only positions under `src/` that may name it. `store/redis` is `store/redis.rs` and all of
/// `store/redis/`; a `*` at the end of the last name stands for any ending. The verifier is a crate of its own,
/// with its own dependencies: it is not looked at here.
const HOMES: &[(&str, &[&str])] = &[
    ("actix_*", &["http", "app"]),
    ("argon2", &["passwords"]),
    ("aws_lc_rs", &["keys", "clock", "digest", "passwords"]),
    ("aws_lc_rs::rand::SecureRandom", &["clock"]),
    ("aws_lc_rs::rsa", &["keys"]),
    ("aws_lc_rs::signature", &["keys"]),
    ("bcrypt", &["passwords"]),
    ("bytes", &["status_lists"]),
    ("clap", &["cli"]),
    ("flate2", &["status_lists"]),
    ("fluent_bundle", &["http/pages"]),
    ("ipnet", &["config"]),
    ("jsonwebtoken", &["keys"]),
    ("metrics*", &["http", "app"]),
    ("minijinja", &["http/pages"]),
    ("redis", &["store/redis"]),
    ("reqwest", &["outbound"]),
    ("rsa", &["keys"]),
    ("socket2", &["app"]),
    ("sqlx", &["store/sql"]),
    ("toml", &["config"]),
];

/// The environment is part of the configuration: read once, at start, and checked with everything else.
const ENVIRONMENT: &[(&str, &[&str])] = &[("std::env", &["config"])];

#[test]
fn modules_use_only_the_modules_below_them() -> io::Result<()> {
    let tree = SourceTree::read()?;
    assert_none(&tree.upward_uses());
    Ok(())
}

#[test]
fn each_outside_package_has_one_home() -> io::Result<()> {
    let tree = SourceTree::read()?;
    assert_none(&tree.strays(HOMES));
    Ok(())
}

#[test]
fn the_environment_is_read_only_in_the_configuration() -> io::Result<()> {
    let tree = SourceTree::read()?;
    assert_none(&tree.strays(ENVIRONMENT));
    Ok(())
}

#[test]
fn every_test_that_a_document_names_is_there() -> io::Result<()> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = fs::read_to_string(top.join("docs/threats.md"))?;
    let mut files = Vec::new();
    for folder in ["tests", "src", "verifier/tests", "verifier/src"] {
        collect(&top.join(folder), "", &mut files)?;
    }
    assert!(named_tests(&document).len() > 100, "the table of weaknesses is not where it was");
    assert_none(&missing_tests(&document, &files));
    Ok(())
}

fn assert_none(violations: &[String]) {
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}

// --- the rules -------------------------------------------------------------------------------------------------------

/// The modules, top layer first, and every source file, by its path under `src/`.
struct SourceTree {
    modules: Vec<String>,
    files: Vec<(String, String)>,
}

impl SourceTree {
    fn read() -> io::Result<Self> {
        let mut files = Vec::new();
        collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut files)?;
        files.sort();
        Ok(Self::new(files))
    }

    fn new(files: Vec<(String, String)>) -> Self {
        let lib = files.iter().find(|(path, _)| path == "lib.rs").map_or("", |(_, text)| text);
        Self { modules: Source::parse(lib).modules, files }
    }

    /// Each path in a module that names a module above it, or something in the crate's root that is no module.
    fn upward_uses(&self) -> Vec<String> {
        let mut found = Vec::new();
        for (path, text) in &self.files {
            let here = module_of(path);
            // A file outside the modules is above them (main.rs, lib.rs), or no part of the library (yet).
            let Some(layer) = here.first().and_then(|module| self.layer(module)) else { continue };
            for used in Source::parse(text).paths {
                let Some(target) = used.module(&here) else { continue };
                match self.layer(&target) {
                    Some(other) if other >= layer => {}
                    Some(_) => {
                        found.push(format!("src/{path}:{}: `{}` looks up, to `{target}`", used.line, used.text()));
                    }
                    None => found.push(format!("src/{path}:{}: `{}` is in no module", used.line, used.text())),
                }
            }
        }
        found
    }

    fn layer(&self, module: &str) -> Option<usize> {
        self.modules.iter().position(|name| name == module)
    }

    /// Each path that begins with something from `homes`, in a file that is not among its homes.
    fn strays(&self, homes: &[(&str, &[&str])]) -> Vec<String> {
        let mut found = Vec::new();
        for (path, text) in &self.files {
            let source = Source::parse(text);
            for used in &source.paths {
                let full = source.full(used);
                for (what, positions) in homes.iter().filter(|(what, _)| begins_with(&full, what)) {
                    if !positions.iter().any(|position| lies_in(path, position)) {
                        let homes = positions.join(", ");
                        found.push(format!(
                            "src/{path}:{}: `{}`: {what} lives in {homes} only",
                            used.line,
                            used.text()
                        ));
                    }
                }
            }
        }
        found
    }
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, String)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{path}/"), files)?;
        } else if entry.path().extension().is_some_and(|extension| extension == "rs") {
            files.push((path, fs::read_to_string(entry.path())?));
        }
    }
    Ok(())
}

/// `store/sql/mod.rs` is the module `store::sql`; `main.rs` and `lib.rs` are the root.
fn module_of(path: &str) -> Vec<String> {
    let mut names: Vec<String> = path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if names.last().is_some_and(|last| last == "mod") || names == ["lib"] || names == ["main"] {
        names.pop();
    }
    names
}

fn begins_with(full: &[String], what: &str) -> bool {
    let mut names = full.iter();
    what.split("::").all(|wanted| match (names.next(), wanted.strip_suffix('*')) {
        (Some(name), Some(beginning)) => name.starts_with(beginning),
        (Some(name), None) => name == wanted,
        (None, _) => false,
    })
}

fn lies_in(path: &str, position: &str) -> bool {
    path.strip_prefix(position).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

/// Each test in the last column of the table of weaknesses: positions with a colon behind, and names in backticks.
fn named_tests(document: &str) -> Vec<(&str, &str)> {
    let table = document.lines().skip_while(|line| !line.ends_with("| proved by |")).skip(2);
    let mut found = Vec::new();
    for row in table.take_while(|line| line.starts_with('|')) {
        for proof in row.rsplit('|').nth(1).unwrap_or_default().split(';') {
            let (position, names) = proof.split_once(':').unwrap_or(("", proof));
            found.extend(names.split('`').skip(1).step_by(2).map(|name| (position.trim(), name)));
        }
    }
    found
}

/// Each test that the document names and that is not among `files` where the document says, or not under that name.
fn missing_tests(document: &str, files: &[(String, String)]) -> Vec<String> {
    let is_there = |position: &str, name: &str| {
        let declared = format!("fn {name}(");
        files.iter().any(|(path, text)| lies_in(path, position) && text.contains(&declared))
    };
    let missing = named_tests(document).into_iter().filter(|(position, name)| !is_there(position, name));
    missing.map(|(position, name)| format!("docs/threats.md: there is no test `{name}` in {position}")).collect()
}

// --- reading Rust, as far as paths go ----------------------------------------------------------------------------------

/// A path as written, groups taken apart: `use a::{b, c::d}` is two of them, `a::b` and `a::c::d`.
#[derive(Debug, Clone)]
struct Used {
    line: usize,
    names: Vec<String>,
    /// The names of the `mod name { }` around it, in this file.
    inside: Vec<String>,
}

impl Used {
    fn text(&self) -> String {
        self.names.join("::")
    }

    /// The module that the path leads to, seen from the module `here`, if it goes by way of `crate` or `super`.
    fn module(&self, here: &[String]) -> Option<String> {
        let mut names = self.names.iter().map(String::as_str).peekable();
        let mut module: Vec<&str> = match names.peek() {
            Some(&"crate") => {
                names.next();
                Vec::new()
            }
            Some(&("super" | "self")) => here.iter().chain(&self.inside).map(String::as_str).collect(),
            _ => return None,
        };
        while let Some(step) = names.next_if(|name| matches!(*name, "super" | "self")) {
            if step == "super" {
                module.pop();
            }
        }
        module.extend(names);
        module.first().map(|module| (*module).to_owned())
    }
}

/// What a file says about other modules and packages.
#[derive(Default)]
struct Source {
    /// Its `mod name;` lines, in order.
    modules: Vec<String>,
    paths: Vec<Used>,
    /// What a name in this file stands for, where it is not a package.
    meanings: BTreeMap<String, Vec<String>>,
}

impl Source {
    fn parse(text: &str) -> Self {
        let tokens = tokens(&without_comments_and_texts(text));
        let mut reader = Reader { tokens: &tokens, at: 0, inside: Vec::new(), depth: 0, source: Self::default() };
        reader.file();
        reader.source
    }

    /// The path with its first name replaced by what this file imported under that name. So `toml::Table` after
    /// `use crate::toml` is not the package, and `rand::fill` after `use aws_lc_rs::rand` is.
    fn full(&self, used: &Used) -> Vec<String> {
        match self.meanings.get(&used.names[0]) {
            Some(meaning) => [meaning, &used.names[1..]].concat(),
            _ => used.names.iter().filter(|name| !name.is_empty()).cloned().collect(),
        }
    }
}

struct Token {
    line: usize,
    text: String,
}

/// After these, a `::` begins a new path: `for x in ::std::env::args()`.
const KEYWORDS: &[&str] = &["as", "dyn", "else", "for", "if", "impl", "in", "match", "mut", "return", "where", "while"];

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    /// The `mod name { }` that are open, with the depth of braces outside each.
    inside: Vec<(usize, String)>,
    depth: usize,
    source: Source,
}

impl Reader<'_> {
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
                "mod" => self.module(),
                "use" => {
                    self.at += 1;
                    self.tree(&[], true);
                }
                "extern" if self.peek(1) == "crate" => {
                    self.at += 2;
                    self.tree(&[], true);
                }
                first if KEYWORDS.contains(&first) => self.at += 1,
                first if is_name(first) || first == "::" => self.tree(&[], false),
                _ => self.at += 1,
            }
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

    /// Reads one path, or one tree of them, that continues `before`.
    fn tree(&mut self, before: &[String], import: bool) {
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
                        if self.peek(0) == "," { self.at += 1 } else { self.tree(&names, import) }
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
                let meaning = names.iter().filter(|name| !name.is_empty()).cloned().collect();
                self.source.meanings.insert(name, meaning);
            }
            None if names.len() < 2 => return, // a variable, a field, a type: nothing but a name
            None => {}
        }
        let inside = self.inside.iter().map(|(_, name)| name.clone()).collect();
        self.source.paths.push(Used { line, names, inside });
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

fn tokens(code: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = if rest.starts_with("::") {
                2
            } else if first.is_alphanumeric() || first == '_' {
                rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len())
            } else {
                first.len_utf8()
            };
            tokens.push(Token { line: number + 1, text: rest[..length].to_owned() });
            rest = rest[length..].trim_start();
        }
    }
    tokens
}

/// The text with comments, strings and characters blanked out, line by line as it was.
fn without_comments_and_texts(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let in_a_name = code.ends_with(|last: char| last.is_alphanumeric() || last == '_');
        let length = blank_length(rest, in_a_name);
        if length == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            code.push(' ');
            code.extend(rest[..length].chars().filter(|c| *c == '\n'));
            rest = &rest[length..];
        }
    }
    code
}

/// How many bytes at the start of `rest` are a comment, a string, a character or a lifetime's tick; 0 for code.
fn blank_length(rest: &str, in_a_name: bool) -> usize {
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment(rest);
    }
    if let Some(text) = rest.strip_prefix('"') {
        return 1 + closing_quote(text, '"');
    }
    if rest.starts_with('\'') {
        return character(rest);
    }
    if !in_a_name {
        let raw = rest.trim_start_matches(['b', 'c']);
        let prefix = rest.len() - raw.len();
        if prefix <= 1 {
            let hashes = raw.strip_prefix('r').map(|raw| raw.len() - raw.trim_start_matches('#').len());
            if let Some(hashes) = hashes.filter(|hashes| raw[1 + hashes..].starts_with('"')) {
                let start = prefix + 1 + hashes + 1;
                let end = format!("\"{}", "#".repeat(hashes));
                return rest[start..].find(&end).map_or(rest.len(), |found| start + found + end.len());
            }
        }
    }
    0
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// How far it is to the end of the closing quote, past escaped ones.
fn closing_quote(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices() {
        if c == quote && !escaped {
            return at + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    rest.len()
}

/// `'x'` and `'\n'` are characters; the tick of `'static` is blanked alone.
fn character(rest: &str) -> usize {
    let mut following = rest[1..].chars();
    match (following.next(), following.next()) {
        (Some('\\'), _) => 1 + closing_quote(&rest[1..], '\''),
        (Some(c), Some('\'')) => 1 + c.len_utf8() + 1,
        _ => 1,
    }
}

// --- planted violations ------------------------------------------------------------------------------------------------

/// A small tree: `http` above `grants` above `store` above `protocol`, and one more file.
fn tree_with(path: &str, text: &str) -> SourceTree {
    let lib = "pub mod http;\nmod grants;\npub(crate) mod store;\npub mod config;\npub mod protocol;\n";
    SourceTree::new(vec![("lib.rs".to_owned(), lib.to_owned()), (path.to_owned(), text.to_owned())])
}

fn upward(path: &str, text: &str) -> usize {
    tree_with(path, text).upward_uses().len()
}

fn strays(path: &str, text: &str) -> usize {
    tree_with(path, text).strays(HOMES).len()
}

#[test]
fn the_modules_are_read_from_the_library_top_layer_first() {
    assert_eq!(tree_with("http.rs", "").modules, ["http", "grants", "store", "config", "protocol"]);
}

#[test]
fn a_use_of_a_room_below_passes() {
    assert_eq!(
        upward("grants/refresh.rs", "use crate::store::Store;\nuse crate::grants::Grant;\ncrate::protocol::f();"),
        0
    );
}

#[test]
fn a_use_of_a_room_above_is_found() {
    let found = tree_with("store/redis.rs", "use crate::protocol::Scope;\nuse crate::grants::Grant;").upward_uses();
    assert_eq!(found, ["src/store/redis.rs:2: `crate::grants::Grant` looks up, to `grants`"]);
}

#[test]
fn a_use_of_a_room_above_inside_a_group_is_found() {
    assert_eq!(upward("store/mod.rs", "use crate::{protocol::{Scope, Error}, http::routes::{self, Route}};"), 2);
    assert_eq!(upward("store/mod.rs", "use {crate::protocol::Scope, crate::grants};"), 1);
}

#[test]
fn a_path_to_a_room_above_in_the_middle_of_the_code_is_found() {
    assert_eq!(upward("protocol.rs", "fn f(x: &crate::store::Row) -> u8 { crate::http::error(x)::<u8>() }"), 2);
    assert_eq!(upward("protocol.rs", "#[derive(crate::http::Page)] struct S; pub use crate::grants as g;"), 2);
}

#[test]
fn a_way_up_by_super_is_found() {
    assert_eq!(upward("store/sql/user.rs", "use super::super::super::http::Route;"), 1);
    assert_eq!(upward("store/mod.rs", "use super::grants::Grant;"), 1);
    assert_eq!(upward("store.rs", "mod tests { use super::super::grants::Grant; }"), 1);
}

#[test]
fn super_inside_the_module_passes() {
    assert_eq!(upward("store/sql/user.rs", "use super::super::Store; use super::Row; use self::x::Y;"), 0);
    assert_eq!(upward("store.rs", "mod tests { use super::*; mod more { use super::super::x; } }\nuse self::x::y;"), 0);
    assert_eq!(upward("store/sql/user.rs", "use super::super::super::protocol::Scope;"), 0);
}

#[test]
fn a_name_in_the_root_that_is_no_room_is_found() {
    assert_eq!(upward("store.rs", "use crate::Everything;"), 1);
    assert_eq!(upward("store.rs", "use crate::*;"), 1);
    assert_eq!(upward("store.rs", "pub(crate) fn f() {}"), 0);
}

#[test]
fn main_and_lib_may_use_every_module() {
    assert_eq!(upward("main.rs", "use crate::http::x;"), 0);
    assert_eq!(upward("lib.rs", "pub use crate::http::x;"), 0);
}

#[test]
fn a_package_outside_its_home_is_found() {
    let found = tree_with("grants/refresh.rs", "\nuse sqlx::{Row, query};").strays(HOMES);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0], "src/grants/refresh.rs:2: `sqlx::Row`: sqlx lives in store/sql only");
    assert_eq!(strays("store/redis.rs", "fn f() { sqlx::query(1) }"), 1);
    assert_eq!(strays("store/sql_copy.rs", "use ::sqlx::Row;"), 1);
    assert_eq!(strays("store/mod.rs", "use sqlx;"), 1);
    assert_eq!(strays("store/mod.rs", "extern crate sqlx as s;"), 1);
    assert_eq!(strays("grants.rs", "#[actix_web::main] async fn f() { metrics_exporter_prometheus::x() }"), 2);
    assert_eq!(strays("users/lockout.rs", "use argon2::Argon2; use bcrypt as b;"), 2);
}

#[test]
fn a_package_in_its_home_passes() {
    assert_eq!(strays("store/sql/user.rs", "use sqlx::Row;"), 0);
    assert_eq!(strays("store/sql.rs", "use sqlx::Row;"), 0);
    assert_eq!(strays("store/redis.rs", "use redis::aio::ConnectionManager;"), 0);
    assert_eq!(strays("app.rs", "use actix_web::App;"), 0);
    assert_eq!(strays("config.rs", "use toml::Table;"), 0);
}

#[test]
fn a_part_of_a_package_can_have_a_narrower_home() {
    assert_eq!(strays("clock.rs", "use aws_lc_rs::rand::{SecureRandom, SystemRandom};"), 0);
    assert_eq!(strays("digest.rs", "use aws_lc_rs::{digest, signature::KeyPair};"), 1);
    assert_eq!(strays("keys/seal.rs", "use aws_lc_rs::rand; fn f(r: impl rand::SecureRandom) {}"), 1);
    assert_eq!(strays("keys/seal.rs", "use aws_lc_rs::rand; use rand::SecureRandom;"), 1);
}

#[test]
fn a_module_with_the_name_of_a_package_is_not_that_package() {
    assert_eq!(strays("app.rs", "use crate::toml; fn f() -> toml::Table { }"), 0);
    assert_eq!(
        strays("store/mod.rs", "mod redis;\npub use self::redis::Redis;\nfn f() { redis::connect(store.redis) }"),
        0
    );
    assert_eq!(strays("store/mod.rs", "mod redis;\nfn f() { ::redis::connect() }"), 1);
    assert_eq!(strays("app.rs", "fn f() -> toml::Table { }"), 1);
}

#[test]
fn the_environment_read_outside_the_configuration_is_found() {
    let read = |path, text| tree_with(path, text).strays(ENVIRONMENT).len();
    assert_eq!(read("http/ops.rs", "fn f() { std::env::var(\"HOME\"); }"), 1);
    assert_eq!(read("http/ops.rs", "use std::{env, fs}; fn f() { env::var(\"HOME\"); }"), 2);
    assert_eq!(read("main.rs", "fn main() { for a in ::std::env::args() {} }"), 1);
    assert_eq!(read("config.rs", "fn f() { std::env::var(\"HOME\"); }"), 0);
    assert_eq!(read("http/ops.rs", "const VERSION: &str = env!(\"CARGO_PKG_VERSION\");"), 0);
}

#[test]
fn a_test_that_is_named_and_not_there_is_found() {
    let files = [("api/refresh.rs".to_owned(), "async fn it_ends() {}".to_owned())];
    let missing = |proof: &str| {
        let table = format!("| weakness | here | proved by |\n|---|---|---|\n| a | b | {proof} |\n\n`elsewhere`");
        missing_tests(&table, &files)
    };
    assert_eq!(missing("api/refresh: `it_ends`; no test: by hand").len(), 0);
    assert_eq!(missing("api: `it_ends`").len(), 0);
    assert_eq!(missing("api/simplejwt: `it_ends`"), ["docs/threats.md: there is no test `it_ends` in api/simplejwt"]);
    assert_eq!(missing("api/refresh: `it_ends`, `it_end`, `it_…`; refresh: `it_ends`; `it_ends`").len(), 4);
}

#[test]
fn comments_texts_and_characters_are_not_code() {
    let text = r###"
        //! See [`crate::http`] and sqlx::query.
        /* sqlx::query /* crate::http::x */ sqlx::query */
        const A: &str = "sqlx::query \" crate::http::x \\";
        const B: &[u8] = br##"sqlx::query "# crate::http::x"##;
        const C: (char, char, &'static str) = ('"', '\'', "crate::http::x");
        fn r#use<'a>(bar: &'a str) -> &'a str { bar }
    "###;
    assert_eq!((upward("store/mod.rs", text), strays("store/mod.rs", text)), (0, 0));
}

#[test]
fn code_after_comments_texts_and_characters_is_read() {
    for blank in ["/* */", "r\"\\\"", "'\"'", "b'\\''", "\"\\\\\"", "x: &'a str", "r#\"\"\"#", "// \"\n"] {
        assert_eq!(strays("store/mod.rs", &format!("f({blank}); sqlx::query();")), 1, "{blank}");
    }
}
