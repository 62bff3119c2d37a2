//! Token revocation (RFC 7009): either token of a pair ends the session.

use crate::audit::Actor;
use crate::clients;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{Client, ClientId, EndReason, SessionId};
use crate::protocol::ErrorCode;
use crate::sessions::{self, Applied};
use crate::tokens;

/// Ends the session of `token`, if it was issued to the client. An invalid token is not an error (RFC 7009 section
/// 2.2).
///
/// # Errors
/// `unsupported_token_type` for an access token without a session. [`Error::Unavailable`] when the end could not be
/// written to every store; the client tries again (section 2.2.1).
pub async fn revoke(ctx: &Ctx, client: &Client, token: &str) -> Result<(), Error> {
    let Some(session) = session_of(ctx, client, token)? else { return Ok(()) };
    match sessions::end_one(ctx, session, EndReason::Revoked, Actor::Client(client.id.clone())).await? {
        None | Some(Applied::Everywhere) => Ok(()),
        Some(Applied::Pending) => Err(Error::unavailable("the tombstone of a revoked session is pending")),
    }
}

fn session_of(ctx: &Ctx, client: &Client, token: &str) -> Result<Option<SessionId>, Error> {
    if let Ok(refresh) = tokens::read_refresh_token(ctx, token) {
        return Ok((refresh.client_id == client.id).then_some(refresh.session));
    }
    let keys = ctx.keys.verifying_keys();
    let Ok(access) = ctx.verifier.verify(token, &keys, ctx.now().seconds()) else { return Ok(None) };
    if access.client_id != client.id.as_str() {
        return Ok(None);
    }
    match access.sid {
        Some(sid) => Ok(sid.parse().ok()),
        None => Err(Error::oauth(
            ErrorCode::UnsupportedTokenType,
            "this access token belongs to no session; it ends by itself",
        )),
    }
}

/// Ends the session of a refresh token of the SimpleJWT-compatible API.
///
/// # Errors
/// `invalid_grant` for any other token; [`Error::Unavailable`] as for [`revoke`].
pub async fn blacklist(ctx: &Ctx, token: &str) -> Result<(), Error> {
    let refresh = tokens::read_refresh_token(ctx, token)?;
    if !refresh.client_id.is_simplejwt() {
        return Err(Error::invalid_grant("the refresh token is not valid here"));
    }
    let client = clients::identify(ctx, ClientId::SIMPLEJWT).await?;
    revoke(ctx, &client, token).await
}
