//! Signing in with a password: attempts are counted before anything is hashed, and every refusal looks the same.
//!
//! There is no lock that somebody else could use against a user. Attempts are counted in a short window, by the name
//! that was typed and by the account that it names, if it names one; separately for every address from which the user
//! has signed in lately, so that a flood from elsewhere does not keep the user out at home.

use std::net::Ipv6Addr;
use std::time::Duration;

use crate::audit::{Actor, AuditEvent};
use crate::clock::Timestamp;
use crate::config::Rate;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{Secret, User, UserId, UserState};
use crate::passwords::Verdict;
use crate::store::sql::users::ProvenPassword;

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

/// A user who proved to be one.
#[derive(Debug)]
pub struct SignedInUser {
    /// As the database knew the user when the attempt began.
    pub user: User,
    /// When the attempt began: what is taken from the user after this moment is taken from this sign-in too.
    pub at: Timestamp,
    /// The hash of the password, as the database has it.
    pub password_hash: Secret,
}

impl SignedInUser {
    /// How the user proved who they are (`amr`, RFC 8176).
    #[must_use]
    pub fn amr(&self) -> Vec<String> {
        vec!["pwd".to_owned()]
    }

    /// The password as the database has it, for the user who changes it.
    #[must_use]
    pub fn proven_password(&self) -> ProvenPassword<'_> {
        ProvenPassword { user: &self.user, password_hash: self.password_hash.expose() }
    }
}

/// The user who proved to be one, or `None`, of which the audit is told: unknown, disabled and wrong look alike and
/// cost the same work.
///
/// # Errors
/// [`Error::TooManyRequests`], counted whether or not the account exists; [`Error::Unavailable`] when a store or
/// the hashing queue does not take the attempt.
pub async fn sign_in(ctx: &Ctx, attempt: Attempt<'_>) -> Result<Option<SignedInUser>, Error> {
    let at = ctx.now();
    // First, for a database that is away must cost no attempt.
    let found = ctx.store.database.user_to_sign_in(attempt.identifier).await?;
    let named = found.as_ref().map(|(user, _)| user.id);
    let signed_in = prove(ctx, attempt, found, at).await?;
    if signed_in.is_none() {
        record_failure(ctx, named).await;
    }
    Ok(signed_in)
}

/// Whether the attempt is that of the user whom it names.
async fn prove(
    ctx: &Ctx,
    attempt: Attempt<'_>,
    found: Option<(User, Option<String>)>,
    at: Timestamp,
) -> Result<Option<SignedInUser>, Error> {
    let network = attempt.address.map(network_of);
    let network = network.as_deref();
    count_network(ctx, network).await?;
    let name = name_in_any_case(ctx, attempt.identifier);
    let by_name = reserve(ctx, &format!("name:{name}"), network).await?;
    if let Some(wait) = by_name.full {
        return Err(Error::TooManyRequests(wait));
    }
    let account = found.as_ref().map_or(name, |(user, _)| user.id.to_string());
    let by_account = reserve(ctx, &format!("account:{account}"), network).await?;
    // Another spelling of the account has used it up. To say so would tell that both name one account.
    let found = found.filter(|_| by_account.full.is_none());
    let (user, stored) = found.map_or((None, None), |(user, stored)| (Some(user), stored));
    let verdict = ctx.passwords.verify(attempt.password, stored.as_deref()).await?;
    let active = user.filter(|user| user.state == UserState::Active && verdict != Verdict::Wrong);
    let (Some(user), Some(mut password_hash)) = (active, stored) else { return Ok(None) };
    if verdict == Verdict::RightButOutdated {
        password_hash = renew_hash(ctx, &user, attempt.password, password_hash).await;
    }
    remember_success(ctx, &by_name).await?;
    remember_success(ctx, &by_account).await?;
    Ok(Some(SignedInUser { user, at, password_hash: Secret::new(password_hash) }))
}

/// Counts a request that is kept until its person has signed in: anybody can send one.
///
/// # Errors
/// [`Error::TooManyRequests`]; [`Error::Unavailable`] when the ephemeral store does not answer.
pub async fn count_request(ctx: &Ctx, address: Option<&str>) -> Result<(), Error> {
    let Some(network) = address.map(network_of) else { return Ok(()) };
    let full =
        count(ctx, &format!("authorization:address:{network}"), ctx.config.limits.authorizations_by_address).await?;
    full.map_or(Ok(()), |wait| Err(Error::TooManyRequests(wait)))
}

/// One of the allowed attempts on a name or an account.
struct AttemptReservation {
    counter: String,
    known: Option<String>,
    /// The count was full; it starts over after this time.
    full: Option<Duration>,
}

async fn count_network(ctx: &Ctx, network: Option<&str>) -> Result<(), Error> {
    let Some(network) = network else { return Ok(()) };
    let full = count(ctx, &format!("sign-in:address:{network}"), ctx.config.limits.by_address).await?;
    full.map_or(Ok(()), |wait| Err(Error::TooManyRequests(wait)))
}

/// Counts an attempt on `subject` before anything costly is done; separately where its user has signed in from this
/// network lately.
async fn reserve(ctx: &Ctx, subject: &str, network: Option<&str>) -> Result<AttemptReservation, Error> {
    let known = network.map(|network| format!("sign-in:known:{subject}:{network}"));
    let is_known = match &known {
        Some(key) => ctx.store.ephemeral.remembers(key).await?,
        None => false,
    };
    let counter = match network {
        Some(network) if is_known => format!("sign-in:{subject}:{network}"),
        _ => format!("sign-in:{subject}"),
    };
    let full = count(ctx, &counter, ctx.config.limits.by_account).await?;
    Ok(AttemptReservation { counter, known, full })
}

/// What counts as one address: of IPv6 the first 64 bits, for every customer has the rest to themselves.
fn network_of(address: &str) -> String {
    match address.parse::<Ipv6Addr>() {
        Ok(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).to_string(),
        Err(_) => address.to_owned(),
    }
}

/// Counts one more; when the limit is passed, says when the count starts over.
async fn count(ctx: &Ctx, key: &str, limit: Rate) -> Result<Option<Duration>, Error> {
    let Rate::Limit { count: most, window } = limit else { return Ok(None) };
    let counted = ctx.store.ephemeral.count(key, window.get()).await?;
    Ok((counted.count > most).then(|| counted.resets_in.max(Duration::from_secs(1))))
}

async fn remember_success(ctx: &Ctx, reserved: &AttemptReservation) -> Result<(), Error> {
    ctx.store.ephemeral.forget(&reserved.counter).await?;
    if let Some(key) = &reserved.known {
        // Anew, so that the time counts from the last sign-in.
        ctx.store.ephemeral.forget(key).await?;
        ctx.store.ephemeral.remember(key, KNOWN_FOR).await?;
    }
    Ok(())
}

/// Names are counted whether or not they are somebody's, so that the limit does not tell which exist.
fn name_in_any_case(ctx: &Ctx, identifier: &str) -> String {
    let canonical = identifier.trim().to_lowercase();
    uuid::Builder::from_custom_bytes(ctx.keys.derive("sign-in name", canonical.as_bytes())).into_uuid().to_string()
}

/// Parameters changed, or the hash came from another system: make it anew. A failure only means that it is done at the
/// next sign-in. Says which one counts.
async fn renew_hash(ctx: &Ctx, user: &User, password: &Secret, old: String) -> String {
    let Ok(new) = ctx.passwords.hash(password).await else { return old };
    match ctx.store.database.replace_password_hash(user.id, &old, &new).await {
        Ok(true) => {
            tracing::info!(user.id = %user.id, "the password hash was renewed");
            new
        }
        // Somebody has set another password meanwhile.
        Ok(false) => old,
        Err(error) => {
            tracing::warn!(error = %error, "the password hash could not be renewed");
            old
        }
    }
}

/// Tells the audit of a failed sign-in. The log has it when the database is away.
async fn record_failure(ctx: &Ctx, user: Option<UserId>) {
    let entry = ctx.audit(Actor::System, AuditEvent::SignInFailed { user });
    if let Err(error) = ctx.store.database.record(&entry).await {
        tracing::warn!(error = %error, "the audit entry could not be written");
    }
}
