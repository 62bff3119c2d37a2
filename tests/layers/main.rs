//! Keeps the two rules of the tree's plan, by reading the source text under `src/`:
//!
//! 1. A module uses only the modules listed below it in `src/lib.rs`.
//! 2. Each outside package has one home; so has the environment.
//!
//! And the tests that `ARCHITECTURE.md` names beside the weaknesses of others must be there.
//!
//! A module is the first name under `src/`: `http` is `src/http.rs` or all of `src/http/`. `main.rs` and `lib.rs` stand
//! above all modules. The second half of this file plants violations, to show that they would be found.

mod documents;
mod homes;
mod lexer;
mod paths;
mod rules;

use std::fs;
use std::io;
use std::path::Path;

use documents::{missing_tests, named_tests};
use homes::{ENVIRONMENT, HOMES};
use rules::{SourceTree, collect};

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
    let document = fs::read_to_string(top.join("ARCHITECTURE.md"))?;
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
