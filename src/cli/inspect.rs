//! `tokenhouse inspect`: decodes a token, and explains why it would be refused.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::Args;
use serde_json::{Value, json};
use tokenhouse_verifier::{AccessToken, KeySet, Refusal, StatusList, Verifier};

use super::answer::{Answer, problem};
use super::open::open;
use crate::app::feed_follower;
use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::ctx::Ctx;
use crate::outbound;
use crate::token_status::introspection::{self, LiveToken};
use crate::tokens;

/// Say what a token holds, and why it would be refused.
#[derive(Debug, Args)]
pub struct Inspect {
    /// An access token or a refresh token.
    token: String,
    /// Verify as another service does: against the JWKS at this address or in this file, and leave the stores alone.
    /// With an address, the status list that the token names is fetched, too.
    #[arg(long, value_name = "URL|FILE")]
    jwks: Option<String>,
}

/// Decodes and checks the token. A refused token is an answer; a JWKS, store or key that cannot be opened is an error.
pub async fn run(command: Inspect, config: Config) -> Result<Answer, String> {
    let header = part(&command.token, 0);
    let claims = part(&command.token, 1);
    let Findings { verdict, list, introspection } = match &command.jwks {
        Some(source) => offline(&command.token, source, &config).await?,
        None => at_home(&command.token, header.as_ref(), config).await?,
    };
    let mut words = String::new();
    for (name, value) in [("header", &header), ("claims", &claims)] {
        let text = value.as_ref().map_or_else(|| "not readable".to_owned(), |value| format!("{value:#}"));
        // Writing to a String cannot fail.
        let _ = writeln!(words, "{name}: {text}");
    }
    if let Some(list) = &list {
        let _ = writeln!(words, "by list: {}", list.words());
    }
    if let Some(introspection) = introspection {
        let _ = writeln!(words, "by introspection: {introspection}");
    }
    words.push_str(&verdict.words());
    let answer = Answer::new(
        words,
        &json!({
            "header": header, "claims": claims, "good": verdict.is_good(), "why": verdict.words(),
            "by_list": list.map(|list| list.words()), "by_introspection": introspection,
        }),
    );
    Ok(if verdict.is_good() { answer } else { answer.failed() })
}

struct Findings {
    verdict: Judgement,
    /// `None` where no status list was read.
    list: Option<ListStatus>,
    /// `None` where the token was not introspected.
    introspection: Option<&'static str>,
}

enum Judgement {
    Good(String),
    Refused(String),
}

impl Judgement {
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

/// The status of an access token in its status list.
enum ListStatus {
    Valid,
    Refused(Refusal),
    /// The token has no status index.
    Unnamed,
    Unreadable(String),
}

impl ListStatus {
    fn words(&self) -> String {
        match self {
            Self::Valid => "valid".to_owned(),
            Self::Refused(Refusal::Revoked) => "revoked".to_owned(),
            Self::Refused(other) => other.to_string(),
            Self::Unnamed => "the token names no list".to_owned(),
            Self::Unreadable(why) => format!("not known: {why}"),
        }
    }
}

impl Findings {
    fn refused(why: impl Into<String>) -> Self {
        Self { verdict: Judgement::Refused(why.into()), list: None, introspection: None }
    }
}

async fn offline(token: &str, source: &str, config: &Config) -> Result<Findings, String> {
    let is_address = source.starts_with("https://") || source.starts_with("http://");
    let jwks = if is_address {
        outbound::fetch(source).await?
    } else {
        std::fs::read_to_string(source).map_err(|error| format!("{source}: {error}"))?
    };
    let keys = KeySet::from_jwks(&jwks).map_err(|error| format!("{source}: {error}"))?;
    let verifier = Verifier::dangerous_any_audience(config.issuer.clone());
    let now = Clock::system().now().seconds();
    let access = match verifier.verify(token, &keys, now) {
        Ok(access) => access,
        Err(refusal) => return Ok(Findings::refused(refusal.to_string())),
    };
    let holds = "the signature and the claims hold";
    if !is_address {
        let good = Judgement::Good(format!("{holds}; whether it was revoked is not known offline"));
        return Ok(Findings { verdict: good, list: None, introspection: None });
    }
    let list = by_list(&access, &keys, now, async |uri| outbound::fetch(uri).await).await;
    let verdict = match &list {
        ListStatus::Valid => Judgement::Good(format!("{holds}, and its status list says that it was not revoked")),
        ListStatus::Refused(refusal) => Judgement::Refused(refusal.to_string()),
        ListStatus::Unnamed | ListStatus::Unreadable(_) => {
            Judgement::Good(format!("{holds}; whether it was revoked is not known"))
        }
    };
    Ok(Findings { verdict, list: Some(list), introspection: None })
}

async fn at_home(token: &str, header: Option<&Value>, config: Config) -> Result<Findings, String> {
    let ctx = open(config).await?;
    feed_follower::catch_up(&ctx)
        .await
        .map_err(|error| format!("whether it is live is not known: {}", problem(error)))?;
    let looks_like_refresh = header.is_some_and(|header| header["typ"] == "rt+jwt");
    let (now, keys) = (ctx.now().seconds(), ctx.keys.verifying_keys());
    let mut list = None;
    let expiry = if looks_like_refresh {
        tokens::read_refresh_token(&ctx, token).map(|refresh| refresh.expires_at).map_err(|error| error.to_string())
    } else {
        match ctx.verifier.verify(token, &keys, now) {
            Ok(access) => {
                list = Some(by_list(&access, &keys, now, async |uri| own_list(&ctx, uri).await).await);
                Ok(Timestamp::from_seconds(access.exp))
            }
            Err(refusal) => Err(refusal.to_string()),
        }
    };
    match expiry {
        Err(why) => return Ok(Findings::refused(why)),
        Ok(at) if at <= ctx.now() => return Ok(Findings::refused(format!("it expired at {at}"))),
        Ok(_) => {}
    }
    let (verdict, introspection) = match introspection::token_status(&ctx, token).await {
        Ok(Some(LiveToken::Access(_))) => {
            (Judgement::Good("an access token whose session or client is live".to_owned()), "active")
        }
        Ok(Some(LiveToken::Refresh(_))) => (Judgement::Good("a refresh token of a live session".to_owned()), "active"),
        Ok(None) => {
            let over = "it is well made, but its session, user or client is over, or it was used before";
            (Judgement::Refused(over.to_owned()), "not active")
        }
        Err(error) => return Err(format!("whether it is live is not known: {}", problem(error))),
    };
    let verdict = match (verdict, &list) {
        (Judgement::Good(_), Some(ListStatus::Refused(refusal))) => Judgement::Refused(refusal.to_string()),
        (verdict, _) => verdict,
    };
    Ok(Findings { verdict, list, introspection: Some(introspection) })
}

/// Looks the token's status index up in the list that it names, which `fetch` reads.
async fn by_list(
    access: &AccessToken,
    keys: &KeySet,
    now: i64,
    fetch: impl AsyncFnOnce(&str) -> Result<String, String>,
) -> ListStatus {
    let Some(status) = &access.status else { return ListStatus::Unnamed };
    let uri = &status.status_list.uri;
    let read = fetch(uri).await.and_then(|list| {
        StatusList::from_token(list.trim(), uri, keys, now).map_err(|error| format!("{uri}: {error}"))
    });
    match read.map(|list| list.check(status.status_list.idx)) {
        Ok(Ok(())) => ListStatus::Valid,
        Ok(Err(refusal)) => ListStatus::Refused(refusal),
        Err(why) => ListStatus::Unreadable(why),
    }
}

/// Signs the list as this server would serve it.
async fn own_list(ctx: &Ctx, uri: &str) -> Result<String, String> {
    let number = uri.rsplit('/').next().and_then(|number| number.parse().ok());
    let number =
        number.filter(|number| ctx.status_lists.uri(*number) == uri).ok_or_else(|| format!("{uri} is not ours"))?;
    ctx.status_lists.signed(number, &ctx.keys, ctx.now()).await.map(|list| list.token().to_owned()).map_err(problem)
}

fn part(token: &str, position: usize) -> Option<Value> {
    let text = token.split('.').nth(position)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}
