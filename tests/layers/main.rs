//! Keeps the plan of the source tree, by reading its text:
//!
//! 1. A module of the server uses only the modules listed below it in `src/lib.rs`, and one of `http` only those listed
//!    below it in `src/http/mod.rs` (`rules.rs`).
//! 2. Each outside package has one home; so has the environment (`homes.rs`).
//! 3. No files import each other in a circle, in any crate of the workspace (`circles.rs`).
//! 4. Files and functions are short, and functions have few parameters (`shape.rs`).
//! 5. The tests that `docs/threats.md` names beside the weaknesses of others are there (`documents.rs`).
//!
//! A module is the first name under `src/`: `http` is `src/http.rs` or all of `src/http/`. `main.rs` and `lib.rs` stand
//! above all modules. Each file plants violations of its rule, to show that they would be found.

mod circles;
mod documents;
mod homes;
mod lexer;
mod paths;
mod rules;
mod shape;

use std::fs;
use std::io;
use std::path::Path;

use circles::FileGraph;
use documents::{missing_tests, named_tests};
use homes::{ENVIRONMENT, HOMES};
use rules::{SourceTree, collect};
use shape::oversized;

#[test]
fn modules_use_only_the_modules_below_them() -> io::Result<()> {
    let tree = SourceTree::read()?;
    assert_none(&tree.upward_uses());
    Ok(())
}

#[test]
fn modules_of_http_use_only_the_modules_below_them() -> io::Result<()> {
    let tree = SourceTree::read()?;
    assert_none(&tree.upward_uses_inside("http"));
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

/// Where the source of each crate stands.
const CRATES: &[&str] = &["src", "verifier/src", "bench/loadgen/src", "bench/measure/src", "examples/two_apps"];

#[test]
fn no_files_import_each_other_in_a_circle() -> io::Result<()> {
    let mut found = Vec::new();
    for folder in CRATES {
        let files = files_in(folder)?;
        found.extend(FileGraph::new(&files).circles().into_iter().map(|circle| format!("{folder}: {circle}")));
    }
    assert_none(&found);
    Ok(())
}

#[test]
fn files_and_functions_are_short_and_have_few_parameters() -> io::Result<()> {
    let mut found = Vec::new();
    for folder in ["src", "verifier/src"] {
        for (path, text) in files_in(folder)? {
            found.extend(oversized(&format!("{folder}/{path}"), &text));
        }
    }
    assert_none(&found);
    Ok(())
}

#[test]
fn every_test_that_a_document_names_is_there() -> io::Result<()> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let documents = ["docs/threats.md", "ARCHITECTURE.md"];
    let document = documents.into_iter().find(|document| top.join(document).exists()).unwrap_or_default();
    let text = fs::read_to_string(top.join(document))?;
    let mut files = Vec::new();
    for folder in ["tests", "src", "verifier/tests", "verifier/src"] {
        files.extend(files_in(folder)?);
    }
    assert!(named_tests(&text).len() > 100, "the table of weaknesses is not in {document}");
    assert_none(&missing_tests(document, &text, &files));
    Ok(())
}

fn files_in(folder: &str) -> io::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), "", &mut files)?;
    files.sort();
    Ok(files)
}

fn assert_none(violations: &[String]) {
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}
