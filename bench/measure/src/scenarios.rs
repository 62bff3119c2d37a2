//! The scenarios, and the indispensable parts of each.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::ceilings::Part;
use crate::load::{Target, load};
use crate::report::{Report, Row};
use crate::run::Run;
use crate::server::{self, PASSWORD, Process, SECRET, Settings};
use crate::{ask, browser, empty, redis_parts};

/// One row of the table.
struct Scenario {
    name: &'static str,
    /// The path with its query.
    path: &'static str,
    cookies: Option<String>,
    /// `Accept-Encoding`.
    coding: Option<&'static str>,
    /// The body of a POST; a GET without one.
    body: Option<String>,
    /// HTTP Basic.
    basic: bool,
    /// Whether the body contains a refresh token, which is another one each time.
    rotates: bool,
    /// The indispensable parts, besides the handler that the scenario is compared with.
    parts: &'static [Part],
    /// The path of the handler that the scenario is compared with; `None` where no comparison is fair.
    beside: Option<&'static str>,
    /// The required share of the ceiling.
    aim: Option<f64>,
}

const JWKS: &str = "/.well-known/jwks.json";
const STATUS_LIST: &str = "/status/0";

const AUTHORIZATION: &str = "authorization (signed in)";

/// The authorization request of an application.
const ASKS: &str = "/oauth2/authorize?client_id=app&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcallback&\
                    response_type=code&scope=openid+profile+email&state=af0ifjsldkj&nonce=n-0S6_WzA2Mj&\
                    code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";

pub(crate) fn measure(run: &Run, report: &mut Report) -> Result<()> {
    let empty = server::empty_handler(run)?;
    embedded(run, &empty, report)?;
    with_servers(run, &empty, report)?;
    report.part(Part::ScriptInRedis, server::alone(run, Part::ScriptInRedis)?);
    Ok(())
}

/// Measures SQLite and the embedded ephemeral store: start-up, memory at rest, refreshes.
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
    let refresh = Scenario { name: "refresh, embedded", beside: None, aim: None, ..refresh() };
    one(run, &server, empty, &refresh, report)?;
    server.stop()
}

/// Measures PostgreSQL and Redis: everything else.
fn with_servers(run: &Run, empty: &Process, report: &mut Report) -> Result<()> {
    let mut settings = Settings::new(run, "servers")?;
    settings.environment.push(("DATABASE_URL", run.database.clone()));
    settings.environment.push(("REDIS_URL", run.redis.clone()));
    // With PostgreSQL the server does not create a master key by itself.
    let master_key = run.scratch.join("embedded/keys/master.key").display().to_string();
    settings.environment.push(("TOKENHOUSE_MASTER_KEY_FILE", master_key));
    settings.command(&["migrate"], "")?;
    settings.add_people()?;
    let server = settings.serve()?;
    // The gate before Redis opens after a second.
    std::thread::sleep(Duration::from_secs(2));
    report.figure("memory at rest (RSS), servers", server.mebibytes("VmRSS")?, "MiB", 20.0);
    one(run, &server, empty, &jwks(), report)?;
    one(run, &server, &server, &status_list(), report)?;
    one(run, &server, empty, &client_credentials("client credentials, ES256", &[Part::Es256], 0.65), report)?;
    one(run, &server, empty, &refresh(), report)?;
    if run.wants("introspection") {
        let introspection = introspection(&access_token(&server)?);
        one(run, &server, empty, &introspection, report)?;
    }
    one(run, &server, empty, &obtain(), report)?;
    if run.wants(AUTHORIZATION) {
        let authorization = authorization(browser::authorize(&server, ASKS)?);
        one(run, &server, empty, &authorization, report)?;
        one_at_a_time(run, &server, empty, &authorization, report)?;
    }
    report.figure("memory under load (most RSS)", server.mebibytes("VmHWM")?, "MiB", 45.0);
    report.figure("Redis, one session", f64::from(redis_parts::bytes_a_session(&run.redis)?), "bytes", 400.0);
    server.stop()?;
    settings.environment.push(("TOKENHOUSE__KEYS__ACCESS_TOKEN_ALGORITHM", "RS256".to_owned()));
    let server = settings.serve()?;
    one(run, &server, empty, &client_credentials("client credentials, RS256", &[Part::Rs256], 0.90), report)?;
    server.stop()
}

fn jwks() -> Scenario {
    Scenario {
        name: "JWKS",
        path: JWKS,
        cookies: None,
        coding: None,
        body: None,
        basic: false,
        rotates: false,
        parts: &[],
        beside: Some("/"),
        aim: Some(0.75),
    }
}

/// The status list, requested as verifiers do, beside the JWKS of the same server, requested in the same way. Both are
/// to cost the same.
fn status_list() -> Scenario {
    let beside = Some(JWKS);
    Scenario {
        name: "status list (beside JWKS)",
        path: STATUS_LIST,
        coding: Some("gzip"),
        beside,
        aim: Some(0.90),
        ..jwks()
    }
}

fn client_credentials(name: &'static str, parts: &'static [Part], aim: f64) -> Scenario {
    let body = Some("grant_type=client_credentials".to_owned());
    Scenario {
        name,
        path: "/oauth2/token",
        cookies: None,
        coding: None,
        body,
        basic: true,
        rotates: false,
        parts,
        beside: Some("/"),
        aim: Some(aim),
    }
}

fn refresh() -> Scenario {
    Scenario {
        name: "refresh, Redis",
        path: "/api/token/refresh/",
        cookies: None,
        coding: None,
        body: Some("refresh={token}".to_owned()),
        basic: false,
        rotates: true,
        parts: &[Part::Script, Part::RefreshTokenCheck, Part::RefreshToken, Part::Es256],
        beside: Some("/"),
        aim: Some(0.60),
    }
}

fn introspection(token: &str) -> Scenario {
    Scenario {
        name: "introspection",
        path: "/oauth2/introspect",
        cookies: None,
        coding: None,
        body: Some(format!("token={token}")),
        basic: true,
        rotates: false,
        parts: &[Part::Es256Check, Part::Script],
        beside: Some("/"),
        aim: Some(0.65),
    }
}

fn obtain() -> Scenario {
    Scenario {
        name: "obtain (password)",
        path: "/api/token/",
        cookies: None,
        coding: None,
        body: Some(sign_in()),
        basic: false,
        rotates: false,
        parts: &[Part::Argon2, Part::Es256, Part::RefreshToken],
        beside: Some("/"),
        aim: Some(0.90),
    }
}

/// An authorization request of a browser whose user has signed in and consented: the answer is a code at once.
fn authorization(cookies: String) -> Scenario {
    Scenario {
        name: AUTHORIZATION,
        path: ASKS,
        cookies: Some(cookies),
        coding: None,
        body: None,
        basic: false,
        rotates: false,
        parts: &[],
        beside: Some(empty::TRIP),
        // The aim here is the latency for a browser, not the ceiling.
        aim: None,
    }
}

fn sign_in() -> String {
    format!("username=ada&password={}", PASSWORD.replace(' ', "+"))
}

/// Measures the parts, the other server with the same request and the server, one right after the other, several times.
/// The round whose ratio lies in the middle counts.
fn one(run: &Run, server: &Process, other: &Process, scenario: &Scenario, report: &mut Report) -> Result<()> {
    if !run.wants(scenario.name) {
        return Ok(());
    }
    let signs_in = scenario.path == "/api/token/";
    let connections = if signs_in { 4 } else { run.connections };
    // Redis and PostgreSQL need the generator's core, too.
    let spin = scenario.rests_on_nothing();
    let mut rounds = Vec::new();
    for round in 1..=run.rounds {
        eprintln!("== {} ({round} of {})", scenario.name, run.rounds);
        let ceiling = ceiling(run, other, scenario, spin, report)?;
        let server = load(run, &Target { server, connections, spin }, &scenario.real(&server.base))?;
        rounds.push(Row { name: scenario.name, server, ceiling, aim: scenario.aim });
    }
    rounds.sort_by(|one, other| one.rank().total_cmp(&other.rank()));
    report.row(rounds.swap_remove(rounds.len() / 2));
    Ok(())
}

/// Returns the microseconds of the indispensable parts.
fn ceiling(run: &Run, other: &Process, scenario: &Scenario, spin: bool, report: &mut Report) -> Result<Option<f64>> {
    let Some(url) = scenario.bare(&other.base) else { return Ok(None) };
    let bare = Target { server: other, connections: run.connections, spin };
    let mut ceiling = load(run, &bare, &scenario.plain(&url))?.micros;
    for part in scenario.parts {
        let micros = server::alone(run, *part)?;
        report.part(*part, micros);
        ceiling += micros;
    }
    Ok(Some(ceiling))
}

/// Measures how long a single browser waits: the server and the handler that it is compared with, by turns.
fn one_at_a_time(run: &Run, server: &Process, empty: &Process, scenario: &Scenario, report: &mut Report) -> Result<()> {
    let Some(url) = scenario.bare(&empty.base) else { return Ok(()) };
    let mut rounds = Vec::new();
    for _ in 0..run.rounds {
        let wait = |server, arguments: &[String]| {
            load(run, &Target { server, connections: 1, spin: false }, arguments).map(|load| load.p50_millis * 1e3)
        };
        let bare = wait(empty, &scenario.plain(&url))?;
        rounds.push((wait(server, &scenario.real(&server.base))?, bare));
    }
    rounds.sort_by(|one, other| (one.0 / one.1).total_cmp(&(other.0 / other.1)));
    let (server, bare) = rounds[rounds.len() / 2];
    report.figure("authorization (signed in), one at a time, p50", server, "us", 2.0 * bare);
    Ok(())
}

impl Scenario {
    /// Whether the server answers without a request to a store.
    fn rests_on_nothing(&self) -> bool {
        matches!(self.path, JWKS | STATUS_LIST | "/oauth2/token")
    }

    /// Returns the URL of the handler that the scenario is compared with, with the same query.
    fn bare(&self, base: &str) -> Option<String> {
        let query = self.path.find('?').map_or("", |at| &self.path[at..]);
        self.beside.map(|path| format!("{base}{path}{query}"))
    }

    /// Returns the arguments for the same request to the empty handler, which rotates nothing.
    fn plain(&self, url: &str) -> Vec<String> {
        let mut words = vec![if self.body.is_some() { "post" } else { "get" }.to_owned(), url.to_owned()];
        if self.basic {
            words.extend(["--basic".to_owned(), format!("bench:{SECRET}")]);
        }
        if let Some(cookies) = &self.cookies {
            words.extend(["--header".to_owned(), format!("cookie: {cookies}")]);
        }
        if let Some(coding) = self.coding {
            words.extend(["--header".to_owned(), format!("accept-encoding: {coding}")]);
        }
        if let Some(body) = &self.body {
            // This is as long as a refresh token.
            words.extend(["--body".to_owned(), body.replace("{token}", &"t".repeat(560))]);
        }
        words
    }

    fn real(&self, base: &str) -> Vec<String> {
        let url = format!("{base}{}", self.path);
        if self.cookies.is_some() {
            let code = ["--status", "303", "--location", "code="].map(ToOwned::to_owned);
            return self.plain(&url).into_iter().chain(code).collect();
        }
        let Some(body) = self.body.as_ref().filter(|_| self.rotates) else { return self.plain(&url) };
        let seed_url = format!("{base}/api/token/");
        let sign_in = sign_in();
        let words = ["rotate", &url, "--body", body, "--pointer", "/refresh"];
        let seed = ["--seed-url", &seed_url, "--seed-body", &sign_in];
        words.into_iter().chain(seed).map(ToOwned::to_owned).collect()
    }
}

/// Returns the access token of a new session.
fn access_token(server: &Process) -> Result<String> {
    let answer = ask::post(&server.base, "/api/token/", "", &sign_in())?;
    let body: Value = serde_json::from_str(&answer.body).context("an answer in JSON")?;
    Ok(body["access"].as_str().with_context(|| format!("an access token in {body}"))?.to_owned())
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
