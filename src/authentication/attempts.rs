//! Limits sign-in attempts. An attempt is counted before any costly work, and attempts on unknown accounts count as
//! others do.
//!
//! No user can be locked out by others. Attempts are counted in a short window, by the name that was typed and by the
//! account that it names, if any. They are counted separately for every address from which the user has signed in
//! recently, so that a flood from elsewhere does not keep the user out.

use std::net::Ipv6Addr;
use std::time::Duration;

use crate::config::Rate;
use crate::ctx::Ctx;
use crate::error::Error;

/// How long an address counts as known after a sign-in from it.
const KNOWN_FOR: Duration = Duration::from_hours(30 * 24);

/// Counts an authorization request that is stored until its user has signed in, because storing it needs no
/// credentials.
///
/// # Errors
/// [`Error::TooManyRequests`]; [`Error::Unavailable`] when the ephemeral store does not answer.
pub async fn count_request(ctx: &Ctx, address: Option<&str>) -> Result<(), Error> {
    let Some(network) = address.map(network_of) else { return Ok(()) };
    let full =
        count(ctx, &format!("authorization:address:{network}"), ctx.config.limits.authorizations_by_address).await?;
    full.map_or(Ok(()), |wait| Err(Error::TooManyRequests(wait)))
}

#[derive(Debug)]
pub(super) struct AttemptReservation {
    counter: String,
    known: Option<String>,
    /// Set when the limit was reached: the time until the count starts over.
    pub(super) full: Option<Duration>,
}

pub(super) async fn count_network(ctx: &Ctx, network: Option<&str>) -> Result<(), Error> {
    let Some(network) = network else { return Ok(()) };
    let full = count(ctx, &format!("sign-in:address:{network}"), ctx.config.limits.by_address).await?;
    full.map_or(Ok(()), |wait| Err(Error::TooManyRequests(wait)))
}

/// Counts an attempt on `subject`, separately if its user has signed in from this network recently.
pub(super) async fn reserve(ctx: &Ctx, subject: &str, network: Option<&str>) -> Result<AttemptReservation, Error> {
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

/// Returns the network that counts as one address: of IPv6 the first 64 bits, because each customer controls the rest.
pub(super) fn network_of(address: &str) -> String {
    match address.parse::<Ipv6Addr>() {
        Ok(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).to_string(),
        Err(_) => address.to_owned(),
    }
}

/// Counts one more. Returns the time until the count starts over if the limit is exceeded.
async fn count(ctx: &Ctx, key: &str, limit: Rate) -> Result<Option<Duration>, Error> {
    let Rate::Limit { count: most, window } = limit else { return Ok(None) };
    let counted = ctx.store.ephemeral.count(key, window.get()).await?;
    Ok((counted.count > most).then(|| counted.resets_in.max(Duration::from_secs(1))))
}

pub(super) async fn remember_success(ctx: &Ctx, reserved: &AttemptReservation) -> Result<(), Error> {
    ctx.store.ephemeral.forget(&reserved.counter).await?;
    if let Some(key) = &reserved.known {
        // Set again, so that the time counts from the last sign-in.
        ctx.store.ephemeral.forget(key).await?;
        ctx.store.ephemeral.remember(key, KNOWN_FOR).await?;
    }
    Ok(())
}

/// Returns the key under which a name is counted. Names are counted whether or not a user has them, so that the limit
/// does not reveal which exist.
pub(super) fn name_in_any_case(ctx: &Ctx, identifier: &str) -> String {
    let canonical = identifier.trim().to_lowercase();
    uuid::Builder::from_custom_bytes(ctx.keys.derive("sign-in name", canonical.as_bytes())).into_uuid().to_string()
}
