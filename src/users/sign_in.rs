//! Signing in with a password: attempts are counted before anything is hashed, and every refusal looks the same.
//!
//! There is no lock that somebody else could use against a user. Attempts on an account are counted in a short window,
//! separately for every address from which the user has signed in lately, so that a flood from elsewhere does not keep
//! the user out at home.

use std::net::Ipv6Addr;
use std::time::Duration;

use crate::audit::{Actor, AuditEvent};
use crate::config::Rate;
use crate::ctx::Ctx;
use crate::model::{Secret, User, UserState};
use crate::passwords::Verdict;
use crate::protocol::OAuthError;

/// How long an address counts as known after a sign-in from it.
const KNOWN_FOR: Duration = Duration::from_hours(30 * 24);

/// Somebody who says that they are a user.
#[derive(Debug)]
pub struct Attempt<'a> {
    /// Name or address of the account.
    pub identifier: &'a str,
    /// The password.
    pub password: &'a Secret,
    /// Where the attempt comes from.
    pub address: Option<&'a str>,
}

/// The user who proved to be one, or `None`: unknown, disabled and wrong look alike and cost the same work.
///
/// # Errors
/// [`OAuthError::TooManyTries`], counted whether or not the account exists; [`OAuthError::Unavailable`] when a store or
/// the hashing queue does not take the attempt.
pub async fn sign_in(ctx: &Ctx, attempt: Attempt<'_>) -> Result<Option<User>, OAuthError> {
    let found = ctx.store.ledger.user_to_sign_in(attempt.identifier).await?;
    let account = match &found {
        Some((user, _)) => user.id.to_string(),
        None => unknown_account(ctx, attempt.identifier),
    };
    let keys = count_attempt(ctx, &account, attempt.address).await?;
    let (user, stored) = found.map_or((None, None), |(user, stored)| (Some(user), stored));
    let verdict = ctx.passwords.verify(attempt.password, stored.as_deref()).await?;
    let Some(user) = user.filter(|user| user.state == UserState::Active && verdict != Verdict::Wrong) else {
        return Ok(None);
    };
    if let (Verdict::RightButOutdated, Some(old)) = (verdict, &stored) {
        renew_hash(ctx, &user, attempt.password, old).await;
    }
    remember_success(ctx, &keys).await?;
    Ok(Some(user))
}

/// Where an attempt was counted.
struct Counters {
    by_account: String,
    known_address: Option<String>,
}

/// Reserves the attempt: counts it, and refuses it beyond the limits, before anything costly is done.
async fn count_attempt(ctx: &Ctx, account: &str, address: Option<&str>) -> Result<Counters, OAuthError> {
    let network = address.map(network_of);
    if let Some(network) = &network {
        count(ctx, &format!("sign-in:address:{network}"), ctx.config.limits.by_address).await?;
    }
    let known_address = network.as_ref().map(|network| format!("sign-in:known:{account}:{network}"));
    let is_known = match &known_address {
        Some(key) => ctx.store.hot.remembers(key).await?,
        None => false,
    };
    let by_account = match network {
        Some(network) if is_known => format!("sign-in:account:{account}:{network}"),
        _ => format!("sign-in:account:{account}"),
    };
    count(ctx, &by_account, ctx.config.limits.by_account).await?;
    Ok(Counters { by_account, known_address })
}

/// What counts as one address: of IPv6 the first 64 bits, for every customer has the rest to themselves.
fn network_of(address: &str) -> String {
    match address.parse::<Ipv6Addr>() {
        Ok(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).to_string(),
        Err(_) => address.to_owned(),
    }
}

async fn count(ctx: &Ctx, key: &str, limit: Rate) -> Result<(), OAuthError> {
    let Rate::Limit { count: most, window } = limit else { return Ok(()) };
    let counted = ctx.store.hot.count(key, window.get()).await?;
    if counted.count > most {
        return Err(OAuthError::TooManyTries(counted.resets_in.max(Duration::from_secs(1))));
    }
    Ok(())
}

async fn remember_success(ctx: &Ctx, keys: &Counters) -> Result<(), OAuthError> {
    ctx.store.hot.forget(&keys.by_account).await?;
    if let Some(key) = &keys.known_address {
        ctx.store.hot.remember(key, KNOWN_FOR).await?;
    }
    Ok(())
}

/// A name that no account has is counted too, so that the limit does not tell which names exist.
fn unknown_account(ctx: &Ctx, identifier: &str) -> String {
    let canonical = identifier.trim().to_lowercase();
    uuid::Builder::from_custom_bytes(ctx.keys.derive("unknown account", canonical.as_bytes())).into_uuid().to_string()
}

/// Parameters changed, or the hash came from another system: make it anew. A failure only means that it is done at the
/// next sign-in.
async fn renew_hash(ctx: &Ctx, user: &User, password: &Secret, old: &str) {
    let Ok(new) = ctx.passwords.hash(password).await else { return };
    match ctx.store.ledger.replace_password_hash(user.id, old, &new).await {
        Ok(_) => tracing::info!(user.id = %user.id, "the password hash was renewed"),
        Err(error) => tracing::warn!(error = %error, "the password hash could not be renewed"),
    }
}

/// Tells the audit of a failed sign-in. The log has it when the ledger is away.
pub async fn record_failure(ctx: &Ctx, identifier: &str) {
    let user = ctx.store.ledger.user_to_sign_in(identifier).await.ok().flatten().map(|(user, _)| user.id);
    let entry = ctx.audit(Actor::System, AuditEvent::SignInFailed { user });
    if let Err(error) = ctx.store.ledger.record(&entry).await {
        tracing::warn!(error = %error, "the audit entry could not be written");
    }
}
