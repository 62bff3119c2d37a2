//! `refresh_token`: issues the next token pair of a session (RFC 6749 section 6, RFC 9700 section 4.14).
//!
//! This grant settles before it mints, because the tokens are a function of the settled record. A crash between the two
//! is a lost answer, which the next refresh repairs.

use serde_json::Map;

use super::permission::{check_possession, narrow, pass_gate};
use super::response::{TokenResponse, id_token};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::gate::Principal;
use crate::model::{Client, LiveSession, PossessionProof, Secret};
use crate::protocol::Scope;
use crate::sessions;
use crate::tokens::{self, IdTokenInput, RefreshToken, TokenSubject};

pub(super) async fn exchange(
    ctx: &Ctx,
    client: &Client,
    presented: &Secret,
    scope: Option<Scope>,
    proof: Option<PossessionProof>,
) -> Result<TokenResponse, Error> {
    let token = tokens::read_refresh_token(ctx, presented.expose())?;
    if token.client_id != client.id {
        return Err(Error::invalid_grant("the refresh token is not valid here"));
    }
    // Checked before any state changes: a thief of a bound token must not be able to end its session with it.
    check_possession(token.confirmation, proof)?;
    if scope.is_some() {
        check_before_rotation(ctx, client, &token, scope.clone()).await?;
    }
    let session = sessions::rotate(ctx, client, &token).await?;
    mint(ctx, client, &session, scope)
}

/// Compares the requested scope with the record before rotation, because a scope that is too wide must not consume the
/// token.
async fn check_before_rotation(
    ctx: &Ctx,
    client: &Client,
    token: &RefreshToken,
    scope: Option<Scope>,
) -> Result<(), Error> {
    match sessions::peek(ctx, client, token).await? {
        Some(grant) => narrow(&grant.scope, scope).map(|_| ()),
        // Rotation returns the error and takes the necessary action.
        None => Ok(()),
    }
}

fn mint(ctx: &Ctx, client: &Client, session: &LiveSession, asked: Option<Scope>) -> Result<TokenResponse, Error> {
    let record = &session.record;
    let scope = narrow(&record.grant.scope, asked)?;
    let principal = Principal::RotationRecord { grant: &record.grant, ends_at: record.ends_at };
    pass_gate(ctx, client, principal, &record.grant.scope, &record.grant.audience)?;
    let access = tokens::access_token(ctx, client, TokenSubject::Session(session), &scope)?;
    let refresh = tokens::refresh_token(ctx, session)?;
    let told = IdTokenInput { session, nonce: None, claims: &Map::new() };
    let id_token = id_token(ctx, client, &scope, told, &access.token)?;
    Ok(TokenResponse {
        access_token: access.token,
        token_type: access.scheme,
        expires_in: access.lifetime,
        scope,
        refresh_token: Some(refresh),
        id_token,
    })
}
