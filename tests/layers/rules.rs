//! The rules, and planted violations that show that they would be found.

use std::fs;
use std::io;
use std::path::Path;

use crate::homes::{ENVIRONMENT, HOMES};
use crate::paths::{Source, absolute};

/// The modules, top layer first, and every source file, by its path under `src/`.
pub(crate) struct SourceTree {
    pub(crate) modules: Vec<String>,
    pub(crate) files: Vec<(String, String)>,
}

impl SourceTree {
    pub(crate) fn read() -> io::Result<Self> {
        let mut files = Vec::new();
        collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut files)?;
        files.sort();
        Ok(Self::new(files))
    }

    pub(crate) fn new(files: Vec<(String, String)>) -> Self {
        let lib = files.iter().find(|(path, _)| path == "lib.rs").map_or("", |(_, text)| text);
        Self { modules: Source::parse(lib).modules, files }
    }

    /// Each path in a module that names a module above it, or something in the crate's root that is no module.
    pub(crate) fn upward_uses(&self) -> Vec<String> {
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

    /// Each path inside the top module `top` that leads from one of its own modules to another that is listed above it
    /// in its `mod.rs`.
    pub(crate) fn upward_uses_inside(&self, top: &str) -> Vec<String> {
        let list = self.files.iter().find(|(path, _)| *path == format!("{top}/mod.rs"));
        let modules = list.map(|(_, text)| Source::parse(text).modules).unwrap_or_default();
        let layer = |name: &String| modules.iter().position(|module| module == name);
        let mut found = Vec::new();
        for (path, text) in self.files.iter().filter(|(path, _)| lies_in(path, top)) {
            let here = module_of(path);
            let Some(own) = here.get(1).and_then(layer) else { continue };
            for used in Source::parse(text).paths {
                let Some(names) = absolute(&used.names, here.iter().chain(&used.inside)) else { continue };
                let is_above = |name: &String| layer(name).is_some_and(|other| other < own);
                if let Some(target) = names.get(1).filter(|name| names[0] == top && is_above(name)) {
                    found.push(format!("src/{path}:{}: `{}` looks up, to `{top}::{target}`", used.line, used.text()));
                }
            }
        }
        found
    }

    pub(crate) fn layer(&self, module: &str) -> Option<usize> {
        self.modules.iter().position(|name| name == module)
    }

    /// Each path that begins with something from `homes`, in a file that is not among its homes.
    pub(crate) fn strays(&self, homes: &[(&str, &[&str])]) -> Vec<String> {
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

pub(crate) fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, String)>) -> io::Result<()> {
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
pub(crate) fn module_of(path: &str) -> Vec<String> {
    let mut names: Vec<String> = path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if names.last().is_some_and(|last| last == "mod") || names == ["lib"] || names == ["main"] {
        names.pop();
    }
    names
}

pub(crate) fn begins_with(full: &[String], what: &str) -> bool {
    let mut names = full.iter();
    what.split("::").all(|wanted| match (names.next(), wanted.strip_suffix('*')) {
        (Some(name), Some(beginning)) => name.starts_with(beginning),
        (Some(name), None) => name == wanted,
        (None, _) => false,
    })
}

pub(crate) fn lies_in(path: &str, position: &str) -> bool {
    path.strip_prefix(position).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

// --- planted violations ---

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
fn a_use_of_a_module_below_passes() {
    assert_eq!(
        upward("grants/refresh.rs", "use crate::store::Store;\nuse crate::grants::Grant;\ncrate::protocol::f();"),
        0
    );
}

#[test]
fn a_use_of_a_module_above_is_found() {
    let found = tree_with("store/redis.rs", "use crate::protocol::Scope;\nuse crate::grants::Grant;").upward_uses();
    assert_eq!(found, ["src/store/redis.rs:2: `crate::grants::Grant` looks up, to `grants`"]);
}

#[test]
fn a_use_of_a_module_above_in_the_list_of_the_same_top_module_is_found() {
    let inside = |path: &str, text: &str| {
        let list = "pub mod api;\npub mod pages;\nmod error;\npub use error::Refusal;";
        let mut tree = tree_with(path, text);
        tree.files.push(("http/mod.rs".to_owned(), list.to_owned()));
        tree.upward_uses_inside("http")
    };
    let found = ["src/http/pages/consent.rs:2: `crate::http::api::token` looks up, to `http::api`"];
    assert_eq!(inside("http/pages/consent.rs", "use super::brand;\nuse crate::http::api::token;"), found);
    assert_eq!(inside("http/error.rs", "use super::{api, pages::Page};").len(), 2);
    assert_eq!(inside("http/api/token.rs", "use crate::http::{Refusal, error, pages};").len(), 0);
    assert_eq!(inside("http/error.rs", "use crate::store::api; use std::error;").len(), 0);
    assert_eq!(inside("store/error.rs", "use crate::http::api;").len(), 0);
}

#[test]
fn a_use_of_a_module_above_inside_a_group_is_found() {
    assert_eq!(upward("store/mod.rs", "use crate::{protocol::{Scope, Error}, http::routes::{self, Route}};"), 2);
    assert_eq!(upward("store/mod.rs", "use {crate::protocol::Scope, crate::grants};"), 1);
}

#[test]
fn a_path_to_a_module_above_in_the_middle_of_the_code_is_found() {
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
fn a_name_in_the_root_that_is_no_module_is_found() {
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
