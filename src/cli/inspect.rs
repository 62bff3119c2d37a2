//! `tokenhouse inspect`: what a token holds, and in words why it would be refused.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::Args;
use serde_json::{Value, json};
use tokenhouse_verifier::{KeySet, Verifier};

use super::answer::{Answer, problem};
use super::open;
use crate::app::upkeep;
use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::introspection::{self, Live};
use crate::outbound;
use crate::tokens;

/// Say what a token holds, and why it would be refused.
#[derive(Debug, Args)]
pub struct Inspect {
    /// An access token or a refresh token.
    token: String,
    /// Verify as another service does: against the JWKS at this address or in this file, and leave the stores alone.
    #[arg(long, value_name = "URL|FILE")]
    jwks: Option<String>,
}

/// Decodes and judges.
///
/// # Errors
/// A sentence when the JWKS or the house cannot be opened; a bad token is an answer, not an error.
pub async fn run(command: Inspect, config: Config) -> Result<Answer, String> {
    let header = part(&command.token, 0);
    let claims = part(&command.token, 1);
    let verdict = match &command.jwks {
        Some(place) => offline(&command.token, place, &config).await?,
        None => at_home(&command.token, header.as_ref(), config).await?,
    };
    let mut words = String::new();
    for (name, value) in [("header", &header), ("claims", &claims)] {
        let text = value.as_ref().map_or_else(|| "not readable".to_owned(), |value| format!("{value:#}"));
        // Writing to a String cannot fail.
        let _ = writeln!(words, "{name}: {text}");
    }
    words.push_str(&verdict.words());
    let answer = Answer::new(
        words,
        &json!({ "header": header, "claims": claims, "good": verdict.is_good(), "why": verdict.words() }),
    );
    Ok(if verdict.is_good() { answer } else { answer.failed() })
}

enum Judged {
    Good(String),
    Refused(String),
}

impl Judged {
    fn is_good(&self) -> bool {
        matches!(self, Self::Good(_))
    }

    fn words(&self) -> String {
        match self {
            Self::Good(why) => format!("good: {why}"),
            Self::Refused(why) => format!("refused: {why}"),
        }
    }
}

async fn offline(token: &str, place: &str, config: &Config) -> Result<Judged, String> {
    let jwks = if place.starts_with("https://") || place.starts_with("http://") {
        outbound::fetch(place).await?
    } else {
        std::fs::read_to_string(place).map_err(|error| format!("{place}: {error}"))?
    };
    let keys = KeySet::from_jwks(&jwks).map_err(|error| format!("{place}: {error}"))?;
    let verifier = Verifier::dangerous_any_audience(config.issuer.clone());
    Ok(match verifier.verify(token, &keys, Clock::system().now().seconds()) {
        Ok(_) => {
            Judged::Good("the signature and the claims hold; whether it was revoked is not known offline".to_owned())
        }
        Err(refusal) => Judged::Refused(refusal.to_string()),
    })
}

async fn at_home(token: &str, header: Option<&Value>, config: Config) -> Result<Judged, String> {
    let ctx = open(config).await?;
    upkeep::catch_up(&ctx).await.map_err(|error| format!("whether it is live is not known: {}", problem(error)))?;
    let looks_like_refresh = header.is_some_and(|header| header["typ"] == "rt+jwt");
    let expiry = if looks_like_refresh {
        tokens::read_refresh_token(&ctx, token).map(|refresh| refresh.expires_at).map_err(|error| error.to_string())
    } else {
        let verified = ctx.verifier.verify(token, &ctx.keys.verifying_keys(), ctx.now().seconds());
        verified.map(|access| Timestamp::from_seconds(access.exp)).map_err(|refusal| refusal.to_string())
    };
    match expiry {
        Err(why) => return Ok(Judged::Refused(why)),
        Ok(at) if at <= ctx.now() => return Ok(Judged::Refused(format!("it expired at {at}"))),
        Ok(_) => {}
    }
    Ok(match introspection::look(&ctx, token).await {
        Ok(Some(Live::Access(_))) => Judged::Good("an access token whose session or client is live".to_owned()),
        Ok(Some(Live::Refresh(_))) => Judged::Good("a refresh token of a live session".to_owned()),
        Ok(None) => Judged::Refused(
            "it is well made, but its session, user or client is over, or it was used before".to_owned(),
        ),
        Err(error) => return Err(format!("whether it is live is not known: {}", problem(error))),
    })
}

fn part(token: &str, place: usize) -> Option<Value> {
    let text = token.split('.').nth(place)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}
