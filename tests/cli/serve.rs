//! `tokenhouse serve`

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::support::program::{Serving, Workplace};

#[actix_web::test]
async fn a_fresh_folder_serves_and_every_printed_line_works() {
    let workplace = Workplace::fresh();
    let mut serving = workplace.serve(&["--dev"]);
    let printed = printed(&serving);

    let mut refresh_token = String::new();
    let mut answers = Vec::new();
    for line in curl_lines(&printed) {
        let answer = execute(&line.replace("REFRESH_TOKEN", &refresh_token));
        if let Some(token) = answer["refresh"].as_str() {
            token.clone_into(&mut refresh_token);
        }
        answers.push((line, answer));
    }

    assert_eq!(answers.len(), 5, "{printed}");
    for (line, answer) in &answers {
        let is_good = ["access", "access_token", "keys"].iter().any(|name| !answer[*name].is_null());
        assert!(is_good, "{line}: {answer}");
    }
    let admin = answers[4].1["access"].as_str().unwrap();
    let users = reqwest::Client::new().get(serving.url("/admin/v1/users")).bearer_auth(admin).send().await.unwrap();
    assert_eq!(users.status(), 200);
    assert_eq!(serving.stop().code(), Some(0));
}

#[actix_web::test]
async fn published_credentials_are_disabled_by_a_start_without_dev() {
    let workplace = Workplace::fresh();
    let mut serving = workplace.serve(&["--dev"]);
    let sign_in = printed(&serving);
    let sign_in: Vec<String> = curl_lines(&sign_in);
    serving.stop();

    let mut serving = workplace.serve(&[]);

    let port = |line: &str| line.split("127.0.0.1:").nth(1).unwrap().split('/').next().unwrap().to_owned();
    for line in [&sign_in[0], &sign_in[2], &sign_in[4]] {
        let line = line.replace(&port(line), &serving.address.port().to_string());
        let answer = execute(&line);
        assert!(answer["access"].is_null() && answer["access_token"].is_null(), "{line}: {answer}");
    }
    assert!(serving.printed().is_empty(), "{}", serving.printed());
    assert!(serving.logged().contains("a demo user of an earlier `serve --dev` was disabled"));
    serving.stop();
    let serving = workplace.serve(&["--dev"]);
    let again = curl_lines(&printed(&serving));
    assert!(!execute(&again[0])["access"].is_null(), "and --dev brings them back");
}

#[actix_web::test]
async fn a_database_with_users_of_its_own_gets_no_demo_users_and_the_demo_may_have_another_file() {
    let mut workplace = Workplace::fresh();
    workplace.run(&["user", "add", "alice"]).good();

    let refused = workplace.run(&["serve", "--dev"]).bad();

    let says = "start without --dev, or name another file, as in DATABASE_URL=sqlite://data/dev.db\n";
    assert!(refused.ends_with(says), "{refused}");
    workplace.set("DATABASE_URL", "sqlite://data/dev.db");
    assert_eq!(workplace.serve(&["--dev"]).stop().code(), Some(0));
}

#[test]
fn demo_credentials_are_not_offered_to_the_network() {
    let mut workplace = Workplace::fresh();
    workplace.set("TOKENHOUSE_ISSUER", "https://id.example.org");
    for name in ["TOKENHOUSE_LISTEN", "TOKENHOUSE_OPS_LISTEN"] {
        workplace.set(name, "0.0.0.0:0");
        let refused = workplace.run(&["serve", "--dev"]).bad();
        assert!(refused.contains("--dev listens on loopback only"), "{refused}");
        workplace.set(name, "127.0.0.1:0");
    }
    assert!(!workplace.path("data").exists(), "refused before anything was made");
}

#[test]
fn an_address_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (variable, setting) in [("TOKENHOUSE_LISTEN", "listen"), ("TOKENHOUSE_OPS_LISTEN", "ops_listen")] {
        let mut workplace = Workplace::fresh();
        workplace.set(variable, &address);

        let refused = workplace.run(&["serve"]).bad();

        let begins = format!("tokenhouse: {setting}: cannot listen on {address}: ");
        let ends = format!("; another program has it, and {variable} sets another\n");
        assert!(refused.starts_with(&begins) && refused.ends_with(&ends), "{refused}");
    }
}

#[actix_web::test]
async fn a_request_in_flight_is_answered_before_the_service_ends() {
    let workplace = Workplace::fresh();
    workplace.run_with_input(&["user", "add", "ada", "--password-stdin"], "a fine long password").good();
    let mut serving = workplace.serve(&[]);
    let body = r#"{"username":"ada","password":"a fine long password"}"#;
    let mut stream = TcpStream::connect(serving.address).unwrap();
    let head = "POST /api/token/ HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    write!(stream, "{head}content-length: {}\r\n\r\n{}", body.len(), &body[..10]).unwrap();
    std::thread::sleep(Duration::from_millis(200));

    serving.terminate();
    std::thread::sleep(Duration::from_millis(300));
    stream.write_all(&body.as_bytes()[10..]).unwrap();

    let mut answer = String::new();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    // The connection may be kept open; what was read until then counts.
    let _ = stream.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(serving.wait().code(), Some(0));
    assert!(TcpStream::connect(serving.address).is_err());
}

#[actix_web::test]
async fn a_connection_that_is_only_kept_open_does_not_hold_up_the_end() {
    let workplace = Workplace::fresh();
    let mut serving = workplace.serve(&[]);
    let client = reqwest::Client::new();
    assert_eq!(client.get(serving.url("/.well-known/jwks.json")).send().await.unwrap().status(), 200);
    let watch = tokenhouse::clock::Stopwatch::start();

    let status = serving.stop();

    assert_eq!(status.code(), Some(0));
    assert!(watch.elapsed() < Duration::from_secs(3), "{:?}", watch.elapsed());
    drop(client);
}

/// What was printed, once it is complete.
fn printed(serving: &Serving) -> String {
    for _ in 0..100 {
        let printed = serving.printed();
        if curl_lines(&printed).len() == 5 {
            return printed;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("not printed: {}", serving.printed());
}

/// The lines to paste, each whole.
fn curl_lines(printed: &str) -> Vec<String> {
    let whole = printed.replace("\\\n", " ");
    whole.lines().map(str::trim).filter(|line| line.starts_with("curl ")).map(str::to_owned).collect()
}

/// Pastes a line into a shell.
fn execute(line: &str) -> Value {
    let output = Command::new("sh").args(["-c", line]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{line}: {text} {}", String::from_utf8_lossy(&output.stderr)))
}
