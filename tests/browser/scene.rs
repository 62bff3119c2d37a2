//! A provider, the two applications of the demo, and a browser that plays a scenario among them.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use test_support::packages::{npm, program};
use test_support::provider::Provider;
use test_support::skipped;

use crate::apps::{self, App};

const USERNAME: &str = "demo";
const PASSWORD: &str = "correct horse battery";

/// Plays a scenario of `scenarios.mjs`, in a scene of its own.
pub fn play(scenario: &str) {
    let (chromium, packages) = match (program(&["chromium", "chromium-browser"]), npm("browser")) {
        (None, _) => return skipped("Chromium is not installed"),
        (_, Err(why)) => return skipped(&why),
        (Some(chromium), Ok(packages)) => (chromium, packages),
    };
    let scene = Scene::build();
    let folder = scene.scripts(packages);
    let mut command = Command::new("node");
    command.arg(folder.join("play.mjs")).arg(scenario).arg(scene.described(&chromium).to_string());
    let output = command.stdin(Stdio::null()).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{out}");
    assert!(output.status.success(), "{out}\n{err}\n{}", scene.provider.logged());
    assert!(out.ends_with("all good\n"), "it did not come to its end:\n{out}");
}

struct Scene {
    provider: Provider,
    notes: String,
    photos: String,
}

impl Scene {
    fn build() -> Self {
        let provider = Provider::start(&[], (USERNAME, PASSWORD), &[]);
        let [notes, photos] = ["Notes", "Photos"].map(|name| open_application(&provider, name));
        Self { provider, notes, photos }
    }

    /// The scripts in a folder beside which Node finds their packages.
    fn scripts(&self, packages: PathBuf) -> PathBuf {
        let folder = self.provider.workplace.path("browser");
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
            "server": self.provider.issuer(),
            "notes": self.notes,
            "photos": self.photos,
            "username": USERNAME,
            "password": PASSWORD,
            "pictures": Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser"),
        })
    }
}

/// Registers the application as `serve --dev` does, at a free port, and serves it for as long as this process lives.
fn open_application(provider: &Provider, name: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let id = format!("demo-{}", name.to_lowercase());
    let (callback, home) = (format!("{address}/callback"), format!("{address}/"));
    let notice = format!("{address}/backchannel-logout");
    let who = [id.as_str(), "--name", name];
    let what = ["--grant", "authorization_code", "--grant", "refresh_token"];
    let scope = ["--scope", "openid profile email offline_access roles groups"];
    let back = ["--redirect-uri", &callback, "--post-logout-redirect-uri", &home, "--backchannel-logout-uri", &notice];
    let arguments = [who.as_slice(), &what, &scope, &back].concat();
    provider.add_client(&arguments, &format!("{id}-secret-that-everybody-knows"));
    let app = App::new(&provider.issuer(), name, &address);
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async { apps::serve(app, listener).unwrap().await.unwrap() });
    });
    address
}
