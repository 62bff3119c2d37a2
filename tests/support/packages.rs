//! Packages from other languages' registries, for tests with real clients: installed once under `target/`, exactly as
//! the lock files say. Where that cannot be done, a test says `SKIPPED` and why.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tokenhouse::digest::sha256;

use crate::program::executable;

/// Whether a program is in PATH.
pub fn program(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let folders: Vec<PathBuf> = env::split_paths(&path).chain(["/usr/sbin".into()]).collect();
    names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|file| file.is_file())
}

/// The folder `node_modules` with what `package-lock.json` in that folder (under `tests/`) names.
pub fn npm(folder: &str) -> Result<PathBuf, String> {
    let (node, npm) = (program(&["node"]), program(&["npm"]));
    if node.is_none() || npm.is_none() {
        return Err("node and npm are not in PATH".to_owned());
    }
    let from = tests().join(folder);
    let installed = install(folder, &from.join("package-lock.json"), |into| {
        for name in ["package.json", "package-lock.json"] {
            fs::copy(from.join(name), into.join(name)).unwrap();
        }
        run(Command::new("npm").args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(into))
    })?;
    Ok(installed.join("node_modules"))
}

/// The Python with what `requirements.txt` in that folder (under `tests/`) names.
pub fn pip(folder: &str) -> Result<PathBuf, String> {
    if program(&["python3"]).is_none() {
        return Err("python3 is not in PATH".to_owned());
    }
    let wanted = tests().join(folder).join("requirements.txt");
    let installed = install(folder, &wanted, |into| {
        run(Command::new("python3").args(["-m", "venv", "."]).current_dir(into))?;
        let mut pip = Command::new(into.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes", "-r"]);
        run(pip.arg(&wanted))
    })?;
    Ok(installed.join("bin/python"))
}

/// Makes the folder for this lock file, unless it is there: `work` fills a folder beside it, which then takes its name,
/// so that a half-filled one is never found.
fn install(name: &str, lock: &Path, work: impl Fn(&Path) -> Result<(), String>) -> Result<PathBuf, String> {
    let home = target().join("tmp/packages");
    fs::create_dir_all(&home).unwrap();
    let installed = home.join(format!("{}-{}", name.replace('/', "-"), version(&fs::read(lock).unwrap())));
    let others = File::create(home.join("lock")).unwrap();
    others.lock().unwrap();
    if !installed.exists() {
        let unfinished = installed.with_extension("unfinished");
        let _ = fs::remove_dir_all(&unfinished);
        fs::create_dir(&unfinished).unwrap();
        work(&unfinished)?;
        fs::rename(&unfinished, &installed).unwrap();
    }
    Ok(installed)
}

fn version(lock: &[u8]) -> String {
    sha256(lock)[..6].iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    Err(format!("the packages cannot be installed: {last}"))
}

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Cargo's target folder: the program lies in the folder of its profile there.
fn target() -> PathBuf {
    executable().ancestors().nth(2).unwrap().to_owned()
}
