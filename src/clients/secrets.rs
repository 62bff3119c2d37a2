//! Generates and rotates client secrets. They are stored as digests. Two are valid while one replaces the other.

use super::manage::unknown;
use crate::audit::{Actor, AuditEvent};
use crate::clock::Timestamp;
use crate::ctx::Ctx;
use crate::digest;
use crate::error::Error;
use crate::model::{Client, ClientId, ClientSecret, Secret};

/// What happens to the secret before the current one, if it is still valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreviousSecret {
    /// It may still be in use, so no additional secret is generated.
    Stays,
    /// It ends at once.
    Ends,
}

/// Gives a client a new secret. The current one stays valid for the configured overlap. Returns the new secret, of
/// which only a digest is stored, and the time at which the old one ends.
///
/// # Errors
/// [`Error::NotFound`]; `invalid_request` for a public client; [`Error::Conflict`] while the secret before the current
/// one is valid, unless `previous` lets it end.
pub async fn rotate_secret(
    ctx: &Ctx,
    id: &ClientId,
    previous: PreviousSecret,
    actor: Actor,
) -> Result<(Secret, Timestamp), Error> {
    let now = ctx.now();
    let old_ends = now.plus(ctx.config.clients.secret_overlap.get());
    let secret = Secret::random(&ctx.random);
    let entry = ctx.audit(actor, AuditEvent::ClientSecretRotated { client: id.clone() });
    let decide = |client: &Client| {
        check_rotation(client, previous, now)?;
        let current = client.secrets.first();
        let old = current.map(|old| ClientSecret { digest: old.digest, expires_at: Some(old_ends) });
        Ok(std::iter::once(current_secret(&secret)).chain(old).collect())
    };
    if !ctx.store.database.edit_client_secrets(id, &entry, decide).await? {
        return Err(unknown());
    }
    Ok((secret, old_ends))
}

fn check_rotation(client: &Client, previous: PreviousSecret, now: Timestamp) -> Result<(), Error> {
    if client.is_public() {
        return Err(Error::invalid_request("a public client has no secret"));
    }
    let end = client.secrets.iter().filter_map(|secret| secret.expires_at).filter(|end| now < *end).max();
    match (previous, end) {
        (PreviousSecret::Stays, Some(end)) => Err(Error::Conflict(
            format!(
                "the secret before the current one is good until {end}; rotate then, or now with --now, which ends it"
            )
            .into(),
        )),
        (PreviousSecret::Stays, None) | (PreviousSecret::Ends, _) => Ok(()),
    }
}

pub(super) fn current_secret(secret: &Secret) -> ClientSecret {
    ClientSecret { digest: digest::sha256(secret.expose().as_bytes()), expires_at: None }
}
