//! Client authentication (RFC 6749 section 2.3). Unknown client and wrong secret get the same answer for the same work.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::ctx::Ctx;
use crate::digest;
use crate::error::Error;
use crate::model::{Client, ClientId, ClientState, Secret};
use crate::protocol::{AuthMethod, ErrorCode};

/// What a caller says of itself.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// `client_id`.
    pub client_id: String,
    /// `client_secret`, if one was sent.
    pub secret: Option<Secret>,
    /// How it was sent.
    pub method: AuthMethod,
}

/// The client that `caller` proves to be.
///
/// # Errors
/// `invalid_client` when it does not; [`Error::Unavailable`] when the database has to be asked and does not
/// answer.
pub async fn authenticate(ctx: &Ctx, caller: &Credentials) -> Result<Arc<Client>, Error> {
    let client = find(ctx, &caller.client_id).await?;
    let presented = caller.secret.as_ref().map(Secret::expose).unwrap_or_default();
    let proven = client
        .as_ref()
        .map_or_else(|| compare(&[0; 32], presented), |client| proves(client, presented, caller.method, ctx.now()));
    match client {
        Some(client) if proven && client.state == ClientState::Active => Ok(client),
        _ => Err(Error::oauth(ErrorCode::InvalidClient, "client authentication failed")),
    }
}

/// The public client of this identifier, which proves nothing.
///
/// # Errors
/// `invalid_client` when there is none, it is disabled, or it is one that has to authenticate.
pub async fn identify(ctx: &Ctx, client_id: &str) -> Result<Arc<Client>, Error> {
    let caller = Credentials { client_id: client_id.to_owned(), secret: None, method: AuthMethod::None };
    authenticate(ctx, &caller).await
}

async fn find(ctx: &Ctx, client_id: &str) -> Result<Option<Arc<Client>>, Error> {
    match client_id.parse::<ClientId>() {
        Ok(id) => Ok(ctx.store.client(&id).await?),
        Err(_) => Ok(None),
    }
}

fn proves(client: &Client, presented: &str, method: AuthMethod, now: Timestamp) -> bool {
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

/// Compares digests in constant time: how long it takes says nothing about the secret.
fn compare(digest_kept: &[u8; 32], presented: &str) -> bool {
    digest::equal(&digest::sha256(presented.as_bytes()), digest_kept)
}
