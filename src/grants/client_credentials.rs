//! `client_credentials`: issues an access token to a client for itself (RFC 6749 section 4.4). It reads no store once
//! the client is in memory, as long as this instance receives the change feed. It issues no refresh token (section
//! 4.4.3).

use super::permission::{narrow, pass_gate};
use super::response::TokenResponse;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::gate::{Principal, audience};
use crate::model::{Client, PossessionProof};
use crate::protocol::{ErrorCode, Scope};
use crate::tokens::{self, TokenSubject};

pub(super) fn exchange(
    ctx: &Ctx,
    client: &Client,
    scope: Option<Scope>,
    resource: &[String],
    proof: Option<PossessionProof>,
) -> Result<TokenResponse, Error> {
    // The client may come from memory, which only the change feed keeps current.
    ctx.status_lists.hears()?;
    let scope = narrow(&client.metadata.scope, scope)?;
    let audience = narrow_audience(audience::of_client_tokens(ctx, client, &scope), resource)?;
    pass_gate(ctx, client, Principal::Client { issued_at: ctx.now() }, &scope, &audience)?;
    let not_before = client.not_before.max(ctx.store.memory.global_not_before());
    let confirmation = proof.map(|proof| proof.proven);
    let subject = TokenSubject::Client { audience: &audience, not_before, confirmation };
    let access = tokens::access_token(ctx, client, subject, &scope)?;
    Ok(TokenResponse {
        access_token: access.token,
        token_type: access.scheme,
        expires_in: access.lifetime,
        scope,
        refresh_token: None,
        id_token: None,
    })
}

/// Narrows the client's audience to the requested resources (RFC 8707 section 2).
fn narrow_audience(all: Vec<String>, resource: &[String]) -> Result<Vec<String>, Error> {
    if resource.is_empty() {
        return Ok(all);
    }
    if resource.iter().any(|resource| !all.contains(resource)) {
        return Err(Error::oauth(
            ErrorCode::InvalidTarget,
            "the client's tokens of this scope may not be for this resource",
        ));
    }
    Ok(resource.to_vec())
}
