//! `tokenhouse doctor`: checks what the service needs, and names each fix.

use std::time::Duration;

use serde::Serialize;

use super::answer::{Answer, problem};
use crate::app::{self, feed_follower};
use crate::clock::Clock;
use crate::config::Config;
use crate::ctx::Ctx;
use crate::model::{KeyState, SessionId};

/// The greatest accepted difference between two clocks: verifiers tolerate only a few seconds in `exp` and `iat`.
const CLOCKS_APART: Duration = Duration::from_secs(5);

#[derive(Debug, Serialize)]
struct Finding {
    what: &'static str,
    good: bool,
    says: String,
}

impl Finding {
    fn good(what: &'static str, says: impl Into<String>) -> Self {
        Self { what, good: true, says: says.into() }
    }

    fn bad(what: &'static str, says: impl Into<String>) -> Self {
        Self { what, good: false, says: says.into() }
    }
}

/// Runs every check. A failed check is part of the answer, not an error.
pub async fn run(config: Config) -> Result<Answer, String> {
    let mut findings = vec![Finding::good("configuration", "every setting is understood")];
    findings.push(issuer(&config));
    match app::open(config, Clock::system(), app::Purpose::Command).await {
        Err(error) => findings.push(Finding::bad("start", problem(error))),
        Ok(ctx) => {
            findings.push(database(&ctx).await);
            findings.extend(ephemeral_store(&ctx).await);
            findings.push(keys(&ctx).await);
            findings.push(clock(&ctx).await);
        }
    }
    let all_good = findings.iter().all(|finding| finding.good);
    let answer = Answer::list(&findings, |finding| {
        format!("{} {}: {}", if finding.good { "ok  " } else { "FIX " }, finding.what, finding.says)
    });
    Ok(if all_good { answer } else { answer.failed() })
}

fn issuer(config: &Config) -> Finding {
    if config.issuer.starts_with("https://") {
        Finding::good("issuer", config.issuer.clone())
    } else {
        Finding::good(
            "issuer",
            format!("{} (http is for trying things out; set TOKENHOUSE_ISSUER for real use)", config.issuer),
        )
    }
}

async fn database(ctx: &Ctx) -> Finding {
    match ctx.store.database.ping().await {
        Ok(()) => {
            Finding::good("database", format!("{:?} answers and its schema is current", ctx.store.database.dialect()))
        }
        Err(error) => Finding::bad("database", format!("{}; check DATABASE_URL", problem(error))),
    }
}

async fn ephemeral_store(ctx: &Ctx) -> Vec<Finding> {
    if ctx.config.redis.url.is_none() {
        return vec![Finding::good("ephemeral store", "embedded in the database; set REDIS_URL for more speed")];
    }
    let mut findings = match feed_follower::catch_up(ctx).await {
        Ok(()) => vec![Finding::good("ephemeral store", "Redis answers")],
        Err(error) => vec![Finding::bad("ephemeral store", format!("{}; check REDIS_URL", problem(error)))],
    };
    for warning in ctx.store.ephemeral.warnings().await {
        findings.push(Finding::bad("ephemeral store", warning));
    }
    findings
}

async fn keys(ctx: &Ctx) -> Finding {
    match ctx.keys.list().await {
        Ok(keys) => {
            let active = keys.iter().filter(|key| key.state == KeyState::Active).count();
            let next = keys.iter().filter(|key| key.state == KeyState::Next).count();
            Finding::good("keys", format!("{active} active, {next} next"))
        }
        Err(error) => Finding::bad("keys", problem(error)),
    }
}

/// Compares the clock with that of the ephemeral store, which returns its time with every lookup. The session that is
/// looked up does not exist.
async fn clock(ctx: &Ctx) -> Finding {
    let Ok((_, theirs)) = ctx.store.ephemeral.load(SessionId(ctx.random.uuid())).await else {
        return Finding::bad("clock", "not compared: the ephemeral store does not answer");
    };
    let ours = ctx.now();
    let apart = ours.since(theirs).max(theirs.since(ours));
    if apart <= CLOCKS_APART {
        Finding::good("clock", format!("{ours}, as in the ephemeral store"))
    } else {
        let says = format!("it is {ours} here and {theirs} in the ephemeral store; let NTP set both machines' clocks");
        Finding::bad("clock", says)
    }
}
