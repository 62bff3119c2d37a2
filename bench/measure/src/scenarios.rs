//! What is measured, and what nobody could do without in each case.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::ceilings::Parts;
use crate::house::{self, PASSWORD, Process, SECRET, Settings};
use crate::load::{load, post_once};
use crate::report::{Report, Row};
use crate::{Run, redis_parts};

/// One row of the table.
struct Scenario {
    name: &'static str,
    path: &'static str,
    /// The body of the form that is posted; a GET without one.
    body: Option<String>,
    /// HTTP Basic.
    basic: bool,
    /// The body is a refresh token's, which is another one each time.
    rotates: bool,
    /// Microseconds of one core that nobody can do without, besides the web framework's.
    parts: Option<f64>,
    /// How much of the ceiling is asked for.
    aim: Option<f64>,
}

/// Starts houses and measures everything.
pub(crate) fn measure(run: &Run, parts: &Parts, report: &mut Report) -> Result<()> {
    let empty = house::empty_handler(run)?;
    embedded(run, &empty, report)?;
    with_servers(run, &empty, parts, report)
}

/// SQLite and the embedded hot state: start-up, memory at rest, refreshes.
fn embedded(run: &Run, empty: &Process, report: &mut Report) -> Result<()> {
    let settings = Settings::new(run, "embedded")?;
    let first = settings.serve()?;
    report.figure("first start, with new keys, to the first answer", millis(first.started_in), "ms", 2000.0);
    first.stop()?;
    settings.add_people()?;
    let server = settings.serve()?;
    report.figure("start to the first answer", millis(server.started_in), "ms", 100.0);
    std::thread::sleep(Duration::from_secs(2));
    report.figure("memory at rest (RSS), embedded", server.mebibytes("VmRSS")?, "MiB", 20.0);
    let refresh = Scenario { name: "refresh, embedded", parts: None, aim: None, ..refresh(0.0) };
    one(run, &server, empty, &refresh, report)?;
    server.stop()
}

/// PostgreSQL and Redis: everything else.
fn with_servers(run: &Run, empty: &Process, parts: &Parts, report: &mut Report) -> Result<()> {
    let mut settings = Settings::new(run, "servers")?;
    settings.environment.push(("DATABASE_URL", run.database.clone()));
    settings.environment.push(("REDIS_URL", run.redis.clone()));
    // With PostgreSQL a master key is not made by itself.
    let master_key = run.scratch.join("embedded/keys/master.key").display().to_string();
    settings.environment.push(("TOKENHOUSE_MASTER_KEY_FILE", master_key));
    settings.command(&["migrate"], "")?;
    settings.add_people()?;
    let server = settings.serve()?;
    // The gate before Redis opens after a second.
    std::thread::sleep(Duration::from_secs(2));
    report.figure("memory at rest (RSS), servers", server.mebibytes("VmRSS")?, "MiB", 20.0);
    one(run, &server, empty, &jwks(), report)?;
    one(run, &server, empty, &client_credentials("client credentials, ES256", parts.es256, 0.65), report)?;
    one(run, &server, empty, &refresh(parts.redis_client + parts.hs256_pair + parts.es256), report)?;
    if run.wants("introspection") {
        let introspection = introspection(&access_token(&server)?, parts);
        one(run, &server, empty, &introspection, report)?;
    }
    one(run, &server, empty, &obtain(parts), report)?;
    report.figure("memory under load (most RSS)", server.mebibytes("VmHWM")?, "MiB", 45.0);
    report.figure("Redis, one session", f64::from(redis_parts::bytes_a_session(&run.redis)?), "bytes", 400.0);
    server.stop()?;
    settings.environment.push(("TOKENHOUSE__KEYS__ACCESS_TOKEN_ALGORITHM", "RS256".to_owned()));
    let server = settings.serve()?;
    one(run, &server, empty, &client_credentials("client credentials, RS256", parts.rs256, 0.90), report)?;
    server.stop()
}

fn jwks() -> Scenario {
    Scenario {
        name: "JWKS",
        path: "/.well-known/jwks.json",
        body: None,
        basic: false,
        rotates: false,
        parts: Some(0.0),
        aim: Some(0.75),
    }
}

fn client_credentials(name: &'static str, signature: f64, aim: f64) -> Scenario {
    let body = Some("grant_type=client_credentials".to_owned());
    Scenario { name, path: "/oauth2/token", body, basic: true, rotates: false, parts: Some(signature), aim: Some(aim) }
}

fn refresh(parts: f64) -> Scenario {
    Scenario {
        name: "refresh, Redis",
        path: "/api/token/refresh/",
        body: Some("refresh={token}".to_owned()),
        basic: false,
        rotates: true,
        parts: Some(parts),
        aim: Some(0.60),
    }
}

fn introspection(token: &str, parts: &Parts) -> Scenario {
    Scenario {
        name: "introspection",
        path: "/oauth2/introspect",
        body: Some(format!("token={token}")),
        basic: true,
        rotates: false,
        parts: Some(parts.es256_check + parts.redis_client),
        aim: Some(0.65),
    }
}

fn obtain(parts: &Parts) -> Scenario {
    Scenario {
        name: "obtain (password)",
        path: "/api/token/",
        body: Some(sign_in()),
        basic: false,
        rotates: false,
        parts: Some(parts.argon2 + parts.es256 + parts.hs256_pair / 2.0),
        aim: Some(0.90),
    }
}

fn sign_in() -> String {
    format!("username=ada&password={}", PASSWORD.replace(' ', "+"))
}

/// Measures the empty handler with the same request, then the house.
fn one(run: &Run, server: &Process, empty: &Process, scenario: &Scenario, report: &mut Report) -> Result<()> {
    if !run.wants(scenario.name) {
        return Ok(());
    }
    eprintln!("== {}", scenario.name);
    let bare = load(run, empty, run.connections, &scenario.plain(&format!("{}/", empty.base)))?;
    let connections = if scenario.path == "/api/token/" { 4 } else { run.connections };
    let house = load(run, server, connections, &scenario.real(&server.base))?;
    report.row(Row {
        name: scenario.name,
        house,
        ceiling: scenario.parts.map(|parts| parts + bare.micros),
        aim: scenario.aim,
    });
    Ok(())
}

impl Scenario {
    /// The same request for the empty handler, which rotates nothing.
    fn plain(&self, url: &str) -> Vec<String> {
        let mut words = vec![if self.body.is_some() { "post" } else { "get" }.to_owned(), url.to_owned()];
        if self.basic {
            words.extend(["--basic".to_owned(), format!("bench:{SECRET}")]);
        }
        if let Some(body) = &self.body {
            // As long as a refresh token.
            words.extend(["--body".to_owned(), body.replace("{token}", &"t".repeat(560))]);
        }
        words
    }

    fn real(&self, base: &str) -> Vec<String> {
        let url = format!("{base}{}", self.path);
        let Some(body) = self.body.as_ref().filter(|_| self.rotates) else { return self.plain(&url) };
        let seed_url = format!("{base}/api/token/");
        let sign_in = sign_in();
        let words = ["rotate", &url, "--body", body, "--pointer", "/refresh"];
        let seed = ["--seed-url", &seed_url, "--seed-body", &sign_in];
        words.into_iter().chain(seed).map(ToOwned::to_owned).collect()
    }
}

/// The access token of a new session.
fn access_token(server: &Process) -> Result<String> {
    let answer = post_once(&format!("{}/api/token/", server.base), &sign_in())?;
    let body: Value = serde_json::from_str(&answer).context("an answer in JSON")?;
    Ok(body["access"].as_str().with_context(|| format!("an access token in {body}"))?.to_owned())
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
