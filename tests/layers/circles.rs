//! No circle of imports between files.
//!
//! A file uses another one when a path in it names something that is defined there. So:
//!
//! - `mod child;` is no use: it says where a child stands, and nothing more.
//! - `pub use child::Name;`, by which a module shows what a child of its own defines, is no use either. Who writes
//!   `module::Name` uses the child's file, and not the module's.
//! - Every other path of a module to its child is a use, and so is `super::Name` of the child to the module.
//! - A path that names a module and nothing in it uses the file of the module.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::paths::{Source, Used, absolute};
use crate::rules::module_of;

/// The files of one crate, by their position in the list.
pub(crate) struct FileGraph {
    files: Vec<SourceFile>,
    modules: BTreeMap<Vec<String>, usize>,
    /// For each file the files that it uses, each with the first path that does.
    uses: Vec<BTreeMap<usize, Used>>,
}

struct SourceFile {
    path: String,
    module: Vec<String>,
    source: Source,
}

impl FileGraph {
    pub(crate) fn new(files: &[(String, String)]) -> Self {
        let read = |(path, text): &(String, String)| SourceFile {
            path: path.clone(),
            module: module_of(path),
            source: Source::parse(text),
        };
        let files: Vec<SourceFile> = files.iter().map(read).collect();
        // `main.rs` beside a `lib.rs` is a crate of its own, to which no path leads.
        let is_root = |file: &SourceFile| file.path != "main.rs" || !files.iter().any(|other| other.path == "lib.rs");
        let modules = files.iter().enumerate().filter(|(_, file)| is_root(file));
        let modules = modules.map(|(position, file)| (file.module.clone(), position)).collect();
        let mut graph = Self { files, modules, uses: Vec::new() };
        graph.uses = (0..graph.files.len()).map(|position| graph.uses_of(position)).collect();
        graph
    }

    fn uses_of(&self, position: usize) -> BTreeMap<usize, Used> {
        let file = &self.files[position];
        let mut found = BTreeMap::new();
        for used in &file.source.paths {
            let full = file.source.full(used);
            let Some(names) = absolute(&full, file.module.iter().chain(&used.inside)) else { continue };
            let Some(target) = self.defining_file(names) else { continue };
            let shows_a_child = used.is_reexport && self.files[target].module.starts_with(&file.module);
            if target != position && !shows_a_child {
                found.entry(target).or_insert_with(|| used.clone());
            }
        }
        found
    }

    /// The file that defines what `names` lead to, from the crate's root on. Re-exports on the way are followed.
    fn defining_file(&self, mut names: Vec<String>) -> Option<usize> {
        // No real path goes by way of more re-exports; one that leads to itself would not compile.
        for _ in 0..8 {
            let length = (0..=names.len()).rev().find(|length| self.modules.contains_key(&names[..*length]))?;
            let position = self.modules[&names[..length]];
            let file = &self.files[position];
            let meaning = names.get(length).and_then(|name| file.source.reexports.get(name));
            let Some(meaning) = meaning else { return Some(position) };
            let first = file.source.meanings.get(&meaning[0]).filter(|first| *first != meaning);
            let full = first.map_or_else(|| meaning.clone(), |first| [first, &meaning[1..]].concat());
            names = absolute(&full, file.module.iter())?.into_iter().chain(names.drain(length + 1..)).collect();
        }
        None
    }

    /// Circles of imports, with the line of each step. Every file that stands in a circle is in one of them.
    pub(crate) fn circles(&self) -> Vec<String> {
        let mut told = BTreeSet::new();
        let mut found = Vec::new();
        for start in 0..self.files.len() {
            let Some(circle) = self.circle_through(start).filter(|_| !told.contains(&start)) else { continue };
            told.extend(circle.iter().copied());
            let step = |(from, to): (usize, usize)| {
                let used = &self.uses[from][&to];
                format!("{}:{}: `{}` leads to {}", self.files[from].path, used.line, used.text(), self.files[to].path)
            };
            let next = circle.iter().copied().skip(1).chain([start]);
            let steps: Vec<String> = circle.iter().copied().zip(next).map(step).collect();
            found.push(format!("a circle of imports:\n    {}", steps.join("\n    ")));
        }
        found
    }

    /// The shortest circle through the file `start`, from there on.
    fn circle_through(&self, start: usize) -> Option<Vec<usize>> {
        let mut before = BTreeMap::new();
        let mut waiting = VecDeque::from([start]);
        while let Some(file) = waiting.pop_front() {
            for next in self.uses[file].keys().copied() {
                if next == start {
                    let steps = std::iter::successors(Some(file), |file| before.get(file).copied());
                    let mut circle: Vec<usize> = steps.collect();
                    circle.reverse();
                    return Some(circle);
                }
                before.entry(next).or_insert_with(|| {
                    waiting.push_back(next);
                    file
                });
            }
        }
        None
    }
}

// --- planted violations ---

fn circles(files: &[(&str, &str)]) -> Vec<String> {
    let files: Vec<(String, String)> =
        files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    FileGraph::new(&files).circles()
}

const LIB: (&str, &str) = ("lib.rs", "pub mod a;\npub mod b;\nmod c;\npub use a::Thing;");

#[test]
fn files_that_use_each_other_are_found_with_the_lines() {
    let found = circles(&[LIB, ("a.rs", "\nuse crate::b::B;"), ("b.rs", "fn f() { crate::a::g() }")]);
    assert_eq!(
        found,
        ["a circle of imports:\n    a.rs:2: `crate::b::B` leads to b.rs\n    b.rs:1: `crate::a::g` leads to a.rs"]
    );
}

#[test]
fn a_circle_of_three_files_is_found_once() {
    let files = [LIB, ("a.rs", "use crate::b;"), ("b.rs", "use super::c::C;"), ("c.rs", "use crate::a::*;")];
    assert_eq!(circles(&files).len(), 1);
    assert_eq!(circles(&files[..3]).len(), 0);
}

#[test]
fn a_module_and_its_child_that_use_each_other_are_found() {
    let uses = |module: &str, child: &str| circles(&[LIB, ("a/mod.rs", module), ("a/x.rs", child)]).len();
    let child = "use super::Setting; pub struct X;";
    assert_eq!(uses("mod x; use x::X; pub struct Setting;", child), 1);
    assert_eq!(uses("mod x; fn f() { x::g() }", child), 1);
    assert_eq!(uses("mod x; fn f() { self::x::g() }", "fn g() { super::f() }"), 1);
}

#[test]
fn a_module_may_declare_and_show_what_its_child_defines() {
    let uses = |module: &str, child: &str| circles(&[LIB, ("a/mod.rs", module), ("a/x.rs", child)]).len();
    assert_eq!(uses("mod x; pub use x::X; pub struct Setting;", "use super::Setting; pub struct X;"), 0);
    assert_eq!(uses("mod x; pub(crate) use self::x::{X, Y as Z};", "use super::Setting;"), 0);
    assert_eq!(uses("mod x; use x::X; pub struct Setting;", "pub struct X; mod tests { use super::*; }"), 0);
    assert_eq!(uses("mod x; use x::X;", "pub(in crate::a) struct X;"), 0);
}

#[test]
fn a_reexport_leads_to_the_file_that_defines() {
    let a = ("a/mod.rs", "mod x;\nmod y;\npub use x::Thing;\nuse y::Y;");
    let x = |user: &'static str| circles(&[LIB, a, ("a/x.rs", "use crate::b::B;"), ("a/y.rs", user), ("b.rs", "")]);
    assert_eq!(x("use super::Thing;").len(), 0);
    assert_eq!(x("use super::Other;").len(), 1);
    let b = |user: &'static str| circles(&[LIB, a, ("a/x.rs", "use crate::b::B;"), ("a/y.rs", ""), ("b.rs", user)]);
    assert_eq!(b("use crate::a::Thing;").len(), 1);
    assert_eq!(b("use crate::Thing;").len(), 1);
    assert_eq!(b("use crate::a::Y;").len(), 0);
}

#[test]
fn a_reexport_from_elsewhere_is_a_use() {
    let files = [LIB, ("a.rs", "pub use crate::b::B;"), ("b.rs", "use crate::a::A;")];
    assert_eq!(circles(&files).len(), 1);
}

#[test]
fn the_files_of_a_program_are_read_from_its_main_file() {
    let files = [("main.rs", "mod a;\nfn main() { a::run() }\nstruct Run;"), ("a.rs", "use crate::Run;")];
    assert_eq!(circles(&files).len(), 1);
    assert_eq!(circles(&[LIB, files[0], ("a.rs", "use crate::Run;")]).len(), 0);
}
