//! Is this token good right now? Signature, claims, the gate, and the state of its session: for the introspection
//! endpoint (RFC 7662), for the SimpleJWT-compatible API's `verify`, and for whatever takes an access token.

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

/// A token that is good now.
#[derive(Debug)]
pub enum LiveToken {
    /// An access token.
    Access(Box<AccessToken>),
    /// A refresh token and what it renews.
    Refresh(Box<LiveRefresh>),
}

/// A refresh token that is good now, and what it renews.
#[derive(Debug)]
pub struct LiveRefresh {
    /// What it says.
    pub token: RefreshToken,
    /// What the session's tokens say.
    pub grant: SessionGrant,
    /// The user, as the client knows them (`sub`).
    pub subject: String,
}

/// Looks at `token` for `caller`. `None`: not good, or not the caller's business (RFC 7662 section 2.2 has one answer
/// for both).
///
/// # Errors
/// `unauthorized_client` for a public client, whose identifier anybody may use; [`Error::Unavailable`] when a
/// store does not answer.
pub async fn introspect(ctx: &Ctx, caller: &Client, token: &str) -> Result<Option<LiveToken>, Error> {
    if caller.is_public() {
        return Err(Error::oauth(ErrorCode::UnauthorizedClient, "only confidential clients may introspect"));
    }
    Ok(token_status(ctx, token).await?.filter(|live| concerns(ctx, caller, live)))
}

/// Looks at `token`, whoever asks. `None`: not good.
///
/// # Errors
/// [`Error::Unavailable`] when a store does not answer.
pub async fn token_status(ctx: &Ctx, token: &str) -> Result<Option<LiveToken>, Error> {
    if let Some(live) = live_access(ctx, token).await? {
        return Ok(Some(LiveToken::Access(Box::new(live.access))));
    }
    let Ok(refresh) = tokens::read_refresh_token(ctx, token) else { return Ok(None) };
    // A token is told to be active no longer than it says (RFC 7662 section 2.2).
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

/// An access token that is good now, and what stands behind it.
#[derive(Debug)]
pub struct LiveAccess {
    /// What it says.
    pub access: AccessToken,
    /// Whose it is.
    pub client: Arc<Client>,
    /// What its session's tokens say; none where the client acts for itself.
    pub grant: Option<SessionGrant>,
}

/// The access token and what stands behind it, if it is good now. Whether its sender may use it, where it is bound to a
/// key, is another question: `presented_token.rs`.
///
/// # Errors
/// [`Error::Unavailable`] when a store does not answer.
pub async fn live_access(ctx: &Ctx, token: &str) -> Result<Option<LiveAccess>, Error> {
    let keys = ctx.keys.verifying_keys();
    let now = ctx.now().seconds();
    let Ok(access) = ctx.verifier.verify(token, &keys, now) else { return Ok(None) };
    // The verifier allows for clocks that differ; this server knows what it meant (RFC 7662 section 2.2).
    if now >= access.exp {
        return Ok(None);
    }
    let (Ok(client_id), Ok(scope)) = (access.client_id.parse::<ClientId>(), Scope::parse(&access.scope)) else {
        return Ok(None);
    };
    let Some(client) = ctx.store.client(&client_id).await? else { return Ok(None) };
    let Some(sid) = &access.sid else {
        let principal = Principal::Client { issued_at: Timestamp::from_seconds(access.iat) };
        // Offline verifiers refuse what has a status index that the client has lost; so does this server.
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
        // The record is lost, its refresh token has expired, or the ephemeral store is away: the database, in which
        // every end is written first, knows. So an administrator can end sessions while the ephemeral store is away.
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

/// A caller may ask about its own tokens, those meant for it, and all if it holds `tokenhouse:introspect`.
fn concerns(ctx: &Ctx, caller: &Client, live: &LiveToken) -> bool {
    if caller.metadata.scope.contains(scope::INTROSPECT) {
        return true;
    }
    match live {
        LiveToken::Access(access) => access.client_id == caller.id.as_str() || is_meant_for(ctx, caller, &access.aud),
        LiveToken::Refresh(refresh) => refresh.token.client_id == caller.id,
    }
}

/// A resource server names itself by its client identifier or by an audience registered for it. The issuer's own name,
/// which is the default audience of everybody, tells nothing.
fn is_meant_for(ctx: &Ctx, caller: &Client, audience: &[String]) -> bool {
    audience
        .iter()
        .filter(|name| **name != ctx.config.issuer)
        .any(|name| name == caller.id.as_str() || caller.metadata.audience.contains(name))
}
