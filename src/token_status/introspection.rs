//! Decides whether a token is good now, by its signature, its claims, the gate and the state of its session. The
//! introspection endpoint (RFC 7662), the SimpleJWT-compatible API's `verify`, and every endpoint that takes an access
//! token use it.

use std::sync::Arc;

use tokenhouse_verifier::AccessToken;

use crate::clock::Timestamp;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::gate::{self, Principal};
use crate::model::{Client, ClientId, RotationState, SessionGrant, SessionId};
use crate::protocol::{ErrorCode, Scope, scope};
use crate::sessions;
use crate::store::StoreError;
use crate::tokens::{self, RefreshToken};

#[derive(Debug)]
pub enum LiveToken {
    Access(Box<AccessToken>),
    Refresh(Box<LiveRefresh>),
}

/// A refresh token that is good now, and the grant that it renews.
#[derive(Debug)]
pub struct LiveRefresh {
    pub token: RefreshToken,
    pub grant: SessionGrant,
    /// The user as the client knows them (`sub`).
    pub subject: String,
}

/// Introspects `token` for `caller`. `None`: it is not good, or the caller may not ask about it. RFC 7662 section 2.2
/// has one answer for both.
///
/// # Errors
/// `unauthorized_client` for a public client, because anyone can use its identifier; [`Error::Unavailable`] when a
/// store does not answer.
pub async fn introspect(ctx: &Ctx, caller: &Client, token: &str) -> Result<Option<LiveToken>, Error> {
    if caller.is_public() {
        return Err(Error::oauth(ErrorCode::UnauthorizedClient, "only confidential clients may introspect"));
    }
    Ok(token_status(ctx, token).await?.filter(|live| concerns(ctx, caller, live)))
}

/// Introspects `token` for any caller. `None`: it is not good.
pub async fn token_status(ctx: &Ctx, token: &str) -> Result<Option<LiveToken>, Error> {
    if let Some(live) = live_access(ctx, token).await? {
        return Ok(Some(LiveToken::Access(Box::new(live.access))));
    }
    let Ok(refresh) = tokens::read_refresh_token(ctx, token) else { return Ok(None) };
    // A token is reported as active no longer than its `exp` (RFC 7662 section 2.2).
    if ctx.now() >= refresh.expires_at {
        return Ok(None);
    }
    let Some(client) = ctx.store.client(&refresh.client_id).await? else { return Ok(None) };
    let Some(grant) = sessions::peek(ctx, &client, &refresh).await? else { return Ok(None) };
    let principal = Principal::RotationRecord { grant: &grant, ends_at: refresh.expires_at };
    Ok(passes(ctx, &client, principal, &grant.scope, &grant.audience).then(|| {
        let subject = tokens::subject(ctx, &client, grant.user_id);
        LiveToken::Refresh(Box::new(LiveRefresh { token: refresh, grant, subject }))
    }))
}

/// An access token that is good now, with its client and grant.
#[derive(Debug)]
pub struct LiveAccess {
    pub access: AccessToken,
    pub client: Arc<Client>,
    /// The grant of its session; `None` where the client acts for itself.
    pub grant: Option<SessionGrant>,
}

/// Returns the access token with its client and grant, if it is good now. `presented_token.rs` checks whether its
/// sender has proven the key that it is bound to.
pub async fn live_access(ctx: &Ctx, token: &str) -> Result<Option<LiveAccess>, Error> {
    let keys = ctx.keys.verifying_keys();
    let now = ctx.now().seconds();
    let Ok(access) = ctx.verifier.verify(token, &keys, now) else { return Ok(None) };
    // The verifier tolerates differing clocks; this server, which set `exp`, does not (RFC 7662 section 2.2).
    if now >= access.exp {
        return Ok(None);
    }
    let (Ok(client_id), Ok(scope)) = (access.client_id.parse::<ClientId>(), Scope::parse(&access.scope)) else {
        return Ok(None);
    };
    let Some(client) = ctx.store.client(&client_id).await? else { return Ok(None) };
    let Some(sid) = &access.sid else {
        let principal = Principal::Client { issued_at: Timestamp::from_seconds(access.iat) };
        // Offline verifiers refuse a token whose status index the client no longer has, and so does this server.
        let keeps_index = tokens::names_index(ctx, &access, client.status_index);
        let good = keeps_index && passes(ctx, &client, principal, &scope, &access.aud);
        return Ok(good.then_some(LiveAccess { access, client, grant: None }));
    };
    let Ok(session) = sid.parse() else { return Ok(None) };
    let grant = live_session(ctx, &client, session, &scope, &access.aud).await?;
    Ok(grant.map(|grant| LiveAccess { access, client, grant: Some(grant) }))
}

async fn live_session(
    ctx: &Ctx,
    client: &Arc<Client>,
    id: SessionId,
    scope: &Scope,
    audience: &[String],
) -> Result<Option<SessionGrant>, Error> {
    if ctx.store.memory.has_ended(id) {
        return Ok(None);
    }
    match ctx.store.ephemeral.load(id).await {
        Ok((RotationState::Ended, _)) => Ok(None),
        Ok((RotationState::Live(record), _)) => {
            let principal = Principal::RotationRecord { grant: &record.grant, ends_at: record.ends_at };
            Ok(passes(ctx, client, principal, scope, audience).then_some(record.grant))
        }
        // The record is lost, its refresh token has expired, or the ephemeral store is down. The database decides,
        // because every end is written there first. An administrator can therefore end sessions while the ephemeral
        // store is down.
        Ok((RotationState::Absent, _)) | Err(StoreError::Unavailable { .. }) => {
            let Some(session) = ctx.store.database.session(id).await? else { return Ok(None) };
            let Some(user) = ctx.store.database.user(session.user_id).await? else { return Ok(None) };
            let principal = Principal::SessionRow { session: &session, user: Some(&user) };
            let good = passes(ctx, client, principal, scope, audience);
            Ok(good.then(|| SessionGrant::of(&session, &user)))
        }
        Err(error) => Err(error.into()),
    }
}

fn passes(ctx: &Ctx, client: &Client, principal: Principal<'_>, scope: &Scope, audience: &[String]) -> bool {
    gate::check(ctx, client, principal, scope, audience).is_ok()
}

/// Returns whether the caller may ask about the token: its own, one that is meant for it, or any if it has the scope
/// `tokenhouse:introspect`.
fn concerns(ctx: &Ctx, caller: &Client, live: &LiveToken) -> bool {
    if caller.metadata.scope.contains(scope::INTROSPECT) {
        return true;
    }
    match live {
        LiveToken::Access(access) => access.client_id == caller.id.as_str() || is_meant_for(ctx, caller, &access.aud),
        LiveToken::Refresh(refresh) => refresh.token.client_id == caller.id,
    }
}

/// Returns whether the audience names the caller, by its client identifier or by a registered audience. The issuer does
/// not count, because it is the default audience of all clients.
fn is_meant_for(ctx: &Ctx, caller: &Client, audience: &[String]) -> bool {
    audience
        .iter()
        .filter(|name| **name != ctx.config.issuer)
        .any(|name| name == caller.id.as_str() || caller.metadata.audience.contains(name))
}
