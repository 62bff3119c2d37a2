//! Measures how long services that verify offline accept a token after an administrator's revocation was answered.
//!
//! There are two instances behind a balancer, and as many verifiers as a fleet has services. Each verifier has its own
//! memory and connections, and is busy accepting the token that is then revoked.

mod balancer;
mod fleet;
mod histogram;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::Value;

use self::balancer::Balancer;
use self::fleet::Fleet;
use self::histogram::Histogram;
use crate::ask::{self, Answer};
use crate::run::Run;
use crate::server::{PASSWORD, SECRET, Settings};
use crate::times::now;

/// How verifiers learn of a revocation, and within which time 99 of 100 must have refused (`ttl` is 2 s).
const WAYS: [Way; 2] = [
    Way { name: "by events", events: true, aim: Duration::from_secs(2), class: Duration::from_millis(5) },
    Way { name: "by the list alone", events: false, aim: Duration::from_secs(5), class: Duration::from_millis(250) },
];

struct Way {
    name: &'static str,
    events: bool,
    aim: Duration,
    /// The width of a class in the histogram.
    class: Duration,
}

/// What is measured.
#[derive(Args)]
pub(crate) struct Propagation {
    /// Services that verify.
    #[arg(long, default_value_t = 20)]
    verifiers: u32,
    /// Revocations, each way.
    #[arg(long, default_value_t = 50)]
    rounds: u32,
}

/// Starts two instances, and measures each way.
pub(crate) fn measure(run: &Run, wanted: &Propagation) -> Result<()> {
    let balancer = Balancer::bind()?;
    let mut settings = Settings::new(run, "propagation")?;
    settings.environment.push(("TOKENHOUSE_ISSUER", balancer.base()));
    settings.environment.push(("DATABASE_URL", run.database.clone()));
    settings.environment.push(("REDIS_URL", run.redis.clone()));
    settings.command(&["keys", "master"], "")?;
    settings.command(&["migrate"], "")?;
    for (client, scope, method) in [
        ("bench", "tokenhouse:sessions", "client_secret_post"),
        ("follower", "tokenhouse:events", "client_secret_basic"),
    ] {
        let add = ["client", "add", client, "--grant", "client_credentials", "--secret-stdin"];
        settings.command(&[&add[..], &["--scope", scope, "--auth-method", method]].concat(), SECRET)?;
    }
    settings.command(&["user", "add", "ada", "--password-stdin"], PASSWORD)?;
    let instances = [settings.serve()?, settings.serve()?];
    balancer.serve(instances.iter().map(|instance| instance.base.clone()).collect())?;
    // The gate before Redis opens after a second.
    std::thread::sleep(Duration::from_secs(2));
    for way in &WAYS {
        let times = revoke_again_and_again(&balancer.base(), way, wanted)?;
        println!("\n{}, {} verifiers, {} instances, {} revocations", way.name, wanted.verifiers, 2, wanted.rounds);
        print!("{}", Histogram::new(times, way.class, way.aim));
    }
    instances.into_iter().try_for_each(crate::server::Process::stop)
}

/// Returns the time from the administrator's 200 to the first refusal, for each verifier and revocation.
fn revoke_again_and_again(base: &str, way: &Way, wanted: &Propagation) -> Result<Vec<Duration>> {
    let fleet = Fleet::start(base, wanted.verifiers, way.events.then_some(("follower", SECRET)))?;
    let mut times = Vec::new();
    for round in 0..wanted.rounds {
        eprintln!("== {} ({} of {})", way.name, round + 1, wanted.rounds);
        let (access, session) = sign_in(base)?;
        let admin = admin_token(base)?;
        fleet.watch(&access);
        // Each revocation is at another point of the second.
        std::thread::sleep(Duration::from_millis(u64::from(round) * 137 % 1000));
        fleet.accepts_everywhere()?;
        let answer = ask::delete(base, &format!("/admin/v1/sessions/{session}"), &admin)?;
        let acknowledged = now();
        ensure!(answer.status() == Some(200), "the session was not ended: {answer:?}");
        times.extend(fleet.refusals(acknowledged, Duration::from_secs(30))?);
    }
    Ok(times)
}

/// Returns the access token of a new session, and the session.
fn sign_in(base: &str) -> Result<(String, String)> {
    let form = format!("username=ada&password={}", PASSWORD.replace(' ', "+"));
    let access = member(&ask::post(base, "/api/token/", "", &form)?, "access")?;
    let claims = access.split('.').nth(1).context("claims")?;
    let claims: Value = serde_json::from_slice(&base64_url(claims)?)?;
    Ok((access, claims["sid"].as_str().context("sid")?.to_owned()))
}

fn admin_token(base: &str) -> Result<String> {
    let form = format!("grant_type=client_credentials&client_id=bench&client_secret={SECRET}");
    member(&ask::post(base, "/oauth2/token", "", &form)?, "access_token")
}

fn member(answer: &Answer, name: &str) -> Result<String> {
    let body: Value = serde_json::from_str(&answer.body).context("an answer in JSON")?;
    Ok(body[name].as_str().with_context(|| format!("{name} in {body}"))?.to_owned())
}

fn base64_url(text: &str) -> Result<Vec<u8>> {
    use base64::Engine;
    Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text)?)
}
