//! `tokenhouse doctor`: checks what the service needs, and names each fix.

use serde::Serialize;

use super::answer::Answer;
use crate::app;
use crate::clock::Clock;
use crate::config::Config;
use crate::ctx::Ctx;
use crate::model::KeyState;

/// One thing that was looked at.
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

/// Looks at everything.
///
/// # Errors
/// Never for what it finds: that is the answer.
pub async fn run(config: Config) -> Result<Answer, String> {
    let mut findings = vec![Finding::good("configuration", "every setting is understood")];
    findings.push(issuer(&config));
    match app::open(config, Clock::system(), app::Purpose::Command).await {
        Err(error) => findings.push(Finding::bad("start", error.to_string())),
        Ok(ctx) => {
            findings.push(ledger(&ctx).await);
            findings.extend(hot_state(&ctx).await);
            findings.push(keys(&ctx).await);
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

async fn ledger(ctx: &Ctx) -> Finding {
    match ctx.store.ledger.ping().await {
        Ok(()) => {
            Finding::good("ledger", format!("{:?} answers and its schema is current", ctx.store.ledger.dialect()))
        }
        Err(error) => Finding::bad("ledger", format!("{error}; check DATABASE_URL")),
    }
}

async fn hot_state(ctx: &Ctx) -> Vec<Finding> {
    if ctx.config.redis.url.is_none() {
        return vec![Finding::good("hot state", "embedded in the ledger; set REDIS_URL for more speed")];
    }
    let mut findings = match ctx.store.hot.ping().await {
        Ok(()) => vec![Finding::good("hot state", "Redis answers")],
        Err(error) => vec![Finding::bad("hot state", format!("{error}; check REDIS_URL"))],
    };
    for warning in ctx.store.hot.warnings().await {
        findings.push(Finding::bad("hot state", warning));
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
        Err(error) => Finding::bad("keys", error.to_string()),
    }
}
