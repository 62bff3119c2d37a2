//! Libraries of other languages. Each script says `ok` to each of its checks, and ends with an error at the first that
//! fails.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use test_support::provider::Provider;

use crate::provider::{for_scripts, with_application};
use crate::support::packages::{npm, pip};
use crate::support::skipped;

#[test]
fn openid_client_for_node_signs_in_refreshes_and_signs_out() {
    let packages = match npm("clients/openid-client") {
        Ok(packages) => packages,
        Err(why) => return skipped(&why),
    };
    let server = with_application();
    // Node looks for packages beside the script.
    let folder = server.workplace.path("openid-client");
    std::fs::create_dir(&folder).unwrap();
    symlink(packages, folder.join("node_modules")).unwrap();
    for name in ["client.mjs", "browser.mjs"] {
        std::fs::copy(script("openid-client").join(name), folder.join(name)).unwrap();
    }
    check(Command::new("node").arg(folder.join("client.mjs")), &server);
}

#[test]
fn authlib_for_python_signs_in_refreshes_and_signs_out() {
    let python = match pip("clients/authlib") {
        Ok(python) => python,
        Err(why) => return skipped(&why),
    };
    let server = with_application();
    check(Command::new(python).arg("-B").arg(script("authlib").join("client.py")), &server);
}

fn check(command: &mut Command, server: &Provider) {
    let output = command.arg(for_scripts(server).to_string()).stdin(Stdio::null()).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{out}");
    assert!(output.status.success(), "{out}\n{err}");
    assert!(out.ends_with("all good\n"), "it did not come to its end:\n{out}");
}

fn script(folder: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(folder)
}
