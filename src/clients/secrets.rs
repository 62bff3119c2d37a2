//! Client secrets: made here, kept as digests, two of them live while one takes over from the other.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::manage::{existing, unknown};
use crate::audit::{Actor, AuditEvent};
use crate::clock::Timestamp;
use crate::ctx::Ctx;
use crate::digest;
use crate::model::{ClientId, ClientKind, ClientSecret, Secret};
use crate::protocol::OAuthError;

/// Gives a client a new secret; the current one stays good for the configured overlap. Returns the new secret, which is
/// kept nowhere, and when the old one ends.
///
/// # Errors
/// [`OAuthError::NotFound`]; `invalid_request` for a public client.
pub async fn rotate_secret(ctx: &Ctx, id: &ClientId, actor: Actor) -> Result<(Secret, Timestamp), OAuthError> {
    let client = existing(ctx, id).await?;
    if client.kind == ClientKind::Public {
        return Err(OAuthError::invalid_request("a public client has no secret"));
    }
    let old_ends = ctx.now().plus(ctx.config.clients.secret_overlap.get());
    let secret = generate_secret(ctx);
    let mut secrets = vec![current_secret(&secret)];
    secrets.extend(client.secrets.first().map(|old| ClientSecret { digest: old.digest, expires_at: Some(old_ends) }));
    let entry = ctx.audit(actor, AuditEvent::ClientSecretRotated { client: id.clone() });
    if !ctx.store.ledger.set_client_secrets(id, &secrets, &entry).await? {
        return Err(unknown());
    }
    ctx.store.memory.forget_client(id);
    Ok((secret, old_ends))
}

/// 256 random bits.
pub(super) fn generate_secret(ctx: &Ctx) -> Secret {
    Secret::new(URL_SAFE_NO_PAD.encode(ctx.random.bytes::<32>()))
}

pub(super) fn current_secret(secret: &Secret) -> ClientSecret {
    ClientSecret { digest: digest::sha256(secret.expose().as_bytes()), expires_at: None }
}
