//! The service, the two applications of the demo, and a browser that plays a scenario among them.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::apps::{self, App};
use crate::support::packages::{npm, program};
use crate::support::program::{Serving, Workplace};
use crate::support::skipped;

const USERNAME: &str = "demo";
const PASSWORD: &str = "correct horse battery";

/// Plays a scenario of `scenarios.mjs`, in a cluster of its own.
pub fn play(scenario: &str) {
    let (chromium, packages) = match (program(&["chromium", "chromium-browser"]), npm("browser")) {
        (None, _) => return skipped("Chromium is not installed"),
        (_, Err(why)) => return skipped(&why),
        (Some(chromium), Ok(packages)) => (chromium, packages),
    };
    let cluster = Cluster::build();
    let folder = cluster.scripts(packages);
    let mut command = Command::new("node");
    command.arg(folder.join("play.mjs")).arg(scenario).arg(cluster.described(&chromium).to_string());
    let output = command.stdin(Stdio::null()).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{out}");
    assert!(output.status.success(), "{out}\n{err}\n{}", cluster.serving.logged());
    assert!(out.ends_with("all good\n"), "it did not come to its end:\n{out}");
}

struct Cluster {
    position: Workplace,
    serving: Serving,
    notes: String,
    photos: String,
}

impl Cluster {
    fn build() -> Self {
        let mut position = Workplace::fresh();
        position.set("TOKENHOUSE_LISTEN", &format!("127.0.0.1:{}", free_port()));
        position.set("TOKENHOUSE__OUTBOUND__ALLOW", "127.0.0.0/8");
        let serving = position.serve(&[]);
        position.run_with_input(&["user", "add", USERNAME, "--password-stdin"], PASSWORD).good();
        let [notes, photos] = ["Notes", "Photos"].map(|name| open_application(&position, &serving, name));
        Self { position, serving, notes, photos }
    }

    /// The scripts in a folder beside which Node finds their packages.
    fn scripts(&self, packages: PathBuf) -> PathBuf {
        let folder = self.position.path("browser");
        fs::create_dir(&folder).unwrap();
        symlink(packages, folder.join("node_modules")).unwrap();
        for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser")).unwrap() {
            let file = entry.unwrap().path();
            if file.extension().is_some_and(|extension| extension == "mjs") {
                fs::copy(&file, folder.join(file.file_name().unwrap())).unwrap();
            }
        }
        folder
    }

    fn described(&self, chromium: &Path) -> Value {
        json!({
            "chromium": chromium,
            "server": self.serving.url(""),
            "notes": self.notes,
            "photos": self.photos,
            "username": USERNAME,
            "password": PASSWORD,
            "pictures": Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser"),
        })
    }
}

/// Registers the application as `serve --dev` does, at a free port, and serves it for as long as this process lives.
fn open_application(position: &Workplace, serving: &Serving, name: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let id = format!("demo-{}", name.to_lowercase());
    let (callback, home) = (format!("{address}/callback"), format!("{address}/"));
    let notice = format!("{address}/backchannel-logout");
    let who = ["client", "add", &id, "--name", name, "--secret-stdin"];
    let what = ["--grant", "authorization_code", "--grant", "refresh_token"];
    let scope = ["--scope", "openid profile email offline_access roles groups"];
    let back = ["--redirect-uri", &callback, "--post-logout-redirect-uri", &home, "--backchannel-logout-uri", &notice];
    let arguments = [who.as_slice(), &what, &scope, &back].concat();
    position.run_with_input(&arguments, &format!("{id}-secret-that-everybody-knows")).good();
    let app = App::new(&serving.url(""), name, &address);
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async { apps::serve(app, listener).unwrap().await.unwrap() });
    });
    address
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
