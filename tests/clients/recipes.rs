//! Services that verify offline, by the recipes in `docs/recipes`: the files of the recipes as they stand, against the
//! running program. Each refuses a token soon after its session was revoked, and no other session's.

use std::fs::{self, File};
use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use test_support::provider::Provider;

use crate::provider::{PASSWORD, USERNAME, with_user};
use crate::support::packages::{npm, pip};
use crate::support::{free_port, skipped};

/// How often it is asked whether the token is still good, in ten seconds: an end is heard of within a second, and the
/// list asked for every two; the rest is for a busy machine.
const LOOKS: usize = 200;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

#[actix_web::test]
async fn fastapi_accepts_our_access_tokens_until_their_session_is_revoked() {
    python_service_follows_revocations("fastapi", |port| {
        ["-m", "uvicorn", "notes:app", "--port", &port.to_string()].map(ToOwned::to_owned).to_vec()
    })
    .await;
}

#[actix_web::test]
async fn django_rest_framework_accepts_our_access_tokens_until_their_session_is_revoked() {
    python_service_follows_revocations("django", |port| {
        ["notes.py", "runserver", &format!("127.0.0.1:{port}"), "--noreload"].map(ToOwned::to_owned).to_vec()
    })
    .await;
}

#[actix_web::test]
async fn express_accepts_our_access_tokens_until_their_session_is_revoked() {
    let packages = match npm("clients/recipes") {
        Ok(packages) => packages,
        Err(why) => return skipped(&why),
    };
    let server = with_user();
    // Node looks for packages beside the script.
    let folder = server.workplace.path("express");
    fs::create_dir(&folder).unwrap();
    symlink(packages, folder.join("node_modules")).unwrap();
    for name in ["notes.mjs", "status_lists.mjs"] {
        fs::copy(recipe("express").join(name), folder.join(name)).unwrap();
    }
    let port = free_port();
    let mut command = Command::new("node");
    command.arg("notes.mjs").current_dir(folder).env("PORT", port.to_string());
    Service::start(command, port, &server).follows_revocations(&server).await;
}

/// The recipe's service in Python, started with `arguments` for a port.
async fn python_service_follows_revocations(name: &str, arguments: impl FnOnce(u16) -> Vec<String>) {
    let python = match pip("clients/recipes") {
        Ok(python) => python,
        Err(why) => return skipped(&why),
    };
    let server = with_user();
    let port = free_port();
    let mut command = Command::new(python);
    command.arg("-B").args(arguments(port));
    command.current_dir(recipe(name)).env("PYTHONPATH", recipe("python"));
    Service::start(command, port, &server).follows_revocations(&server).await;
}

fn recipe(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/recipes").join(name)
}

/// The service of a recipe. It ends with this value.
struct Service {
    process: Child,
    url: String,
    log: PathBuf,
}

impl Service {
    fn start(mut command: Command, port: u16, server: &Provider) -> Self {
        let log = server.workplace.path("service.txt");
        let file = File::create(&log).unwrap();
        command.env("ISSUER", server.issuer());
        command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        let url = format!("http://127.0.0.1:{port}/notes/");
        let mut service = Self { process: command.spawn().unwrap(), url, log };
        service.wait_until_it_listens(port);
        service
    }

    async fn follows_revocations(&self, server: &Provider) {
        let (pair, other) = (sign_in(server).await, sign_in(server).await);
        let (access, refresh) = (pair["access"].as_str().unwrap(), pair["refresh"].as_str().unwrap());
        let untouched = other["access"].as_str().unwrap();
        let sid =
            server.workplace.run(&["inspect", access, "--json"]).json()["claims"]["sid"].as_str().unwrap().to_owned();
        for (token, status) in [(access, 200), (untouched, 200), (refresh, 401), ("", 401), ("a.b.c", 401)] {
            assert_eq!(self.status(token).await, status, "{token} {}", self.log());
        }

        server.workplace.run(&["session", "revoke", &sid]).good();

        self.wait_until_it_refuses(access).await;
        assert_eq!(self.status(untouched).await, 200, "{}", self.log());
    }

    async fn wait_until_it_refuses(&self, token: &str) {
        for _ in 0..LOOKS {
            if self.status(token).await == 401 {
                return;
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        panic!("it accepts a revoked token: {}", self.log());
    }

    async fn status(&self, token: &str) -> u16 {
        reqwest::Client::new().get(&self.url).bearer_auth(token).send().await.unwrap().status().as_u16()
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn wait_until_it_listens(&mut self, port: u16) {
        for _ in 0..1500 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return;
            }
            if let Some(status) = self.process.try_wait().unwrap() {
                panic!("the service ended with {status}: {}", self.log());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("the service does not listen: {}", self.log());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn sign_in(server: &Provider) -> Value {
    let who = json!({ "username": USERNAME, "password": PASSWORD });
    let answer =
        reqwest::Client::new().post(format!("{}/api/token/", server.issuer())).json(&who).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.json().await.unwrap()
}
