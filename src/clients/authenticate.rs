//! Client authentication (RFC 6749 section 2.3). An unknown client and a wrong secret cost the same work and get the
//! same answer.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::ctx::Ctx;
use crate::digest;
use crate::error::Error;
use crate::model::{Client, ClientId, ClientState, Secret};
use crate::protocol::{AuthMethod, ErrorCode};

/// How a caller authenticates as a client.
#[derive(Debug, Clone)]
pub enum ClientAuthentication {
    /// The caller names itself and proves nothing.
    None {
        client_id: String,
    },
    Secret {
        client_id: String,
        secret: Secret,
        method: AuthMethod,
    },
}

impl ClientAuthentication {
    /// The client that the caller claims to be.
    #[must_use]
    pub fn client_id(&self) -> &str {
        match self {
            Self::None { client_id } | Self::Secret { client_id, .. } => client_id,
        }
    }

    /// The presented secret, or an empty one, so that both cases cost the same work.
    fn secret(&self) -> &str {
        match self {
            Self::None { .. } => "",
            Self::Secret { secret, .. } => secret.expose(),
        }
    }

    fn method(&self) -> AuthMethod {
        match self {
            Self::None { .. } => AuthMethod::None,
            Self::Secret { method, .. } => *method,
        }
    }
}

/// Authenticates `caller` and returns its client.
///
/// # Errors
/// `invalid_client` when the proof fails or the client is disabled; [`Error::Unavailable`] when the database must be
/// read and does not answer.
pub async fn authenticate(ctx: &Ctx, caller: &ClientAuthentication) -> Result<Arc<Client>, Error> {
    let client = find(ctx, caller.client_id()).await?;
    let proven =
        client.as_ref().map_or_else(|| compare(&[0; 32], caller.secret()), |client| proves(client, caller, ctx.now()));
    match client {
        Some(client) if proven && client.state == ClientState::Active => Ok(client),
        _ => Err(Error::oauth(ErrorCode::InvalidClient, "client authentication failed")),
    }
}

/// Returns the public client with this identifier.
///
/// # Errors
/// `invalid_client` when it does not exist, is disabled, or has to authenticate.
pub async fn identify(ctx: &Ctx, client_id: &str) -> Result<Arc<Client>, Error> {
    authenticate(ctx, &ClientAuthentication::None { client_id: client_id.to_owned() }).await
}

async fn find(ctx: &Ctx, client_id: &str) -> Result<Option<Arc<Client>>, Error> {
    match client_id.parse::<ClientId>() {
        Ok(id) => Ok(ctx.store.client(&id).await?),
        Err(_) => Ok(None),
    }
}

fn proves(client: &Client, caller: &ClientAuthentication, now: Timestamp) -> bool {
    let (presented, method) = (caller.secret(), caller.method());
    if method != client.metadata.token_endpoint_auth_method {
        compare(&[0; 32], presented);
        return false;
    }
    match method {
        AuthMethod::None => true,
        AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost => {
            let alive = |end: Option<Timestamp>| end.is_none_or(|end| now < end);
            client.secrets.iter().any(|secret| compare(&secret.digest, presented) && alive(secret.expires_at))
        }
    }
}

/// Compares digests in constant time, so that the duration reveals nothing about the secret.
fn compare(digest_kept: &[u8; 32], presented: &str) -> bool {
    digest::equal(&digest::sha256(presented.as_bytes()), digest_kept)
}
