//! Is this token good right now? Signature, claims, the gate, and the state of its session: for the introspection
//! endpoint (RFC 7662), for the direct API's `verify`, and for the admin API's own bearer tokens.

use std::sync::Arc;

use tokenhouse_verifier::AccessToken;

use crate::clients;
use crate::clock::Timestamp;
use crate::ctx::Ctx;
use crate::gate::{self, Asked, Holder};
use crate::model::{Client, ClientId, ClientKind, HotSession, SessionGrant, SessionId};
use crate::protocol::{OAuthError, Scope, scope};
use crate::sessions;
use crate::store::StoreError;
use crate::tokens::{self, RefreshToken};

/// A token that is good now.
#[derive(Debug)]
pub enum Live {
    /// An access token.
    Access(Box<AccessToken>),
    /// A refresh token and what it renews.
    Refresh(Box<(RefreshToken, SessionGrant)>),
}

/// Looks at `token` for `caller`. `None`: not good, or not the caller's business (RFC 7662 section 2.2 has one answer
/// for both).
///
/// # Errors
/// `unauthorized_client` for a public client, whose identifier anybody may use; [`OAuthError::Unavailable`] when a store
/// does not answer.
pub async fn introspect(ctx: &Ctx, caller: &Client, token: &str) -> Result<Option<Live>, OAuthError> {
    if caller.kind == ClientKind::Public {
        return Err(OAuthError::UnauthorizedClient("only confidential clients may introspect".into()));
    }
    Ok(look(ctx, token).await?.filter(|live| concerns(ctx, caller, live)))
}

/// Looks at `token`, whoever asks. `None`: not good.
///
/// # Errors
/// [`OAuthError::Unavailable`] when a store does not answer.
pub async fn look(ctx: &Ctx, token: &str) -> Result<Option<Live>, OAuthError> {
    if let Some(access) = access_token(ctx, token).await? {
        return Ok(Some(Live::Access(Box::new(access))));
    }
    let Ok(refresh) = tokens::read_refresh_token(ctx, token) else { return Ok(None) };
    // A token is told to be active no longer than it says (RFC 7662 section 2.2).
    if ctx.now() >= refresh.expires_at {
        return Ok(None);
    }
    let Some(client) = ctx.store.client(&refresh.client_id).await? else { return Ok(None) };
    let Some(grant) = sessions::peek(ctx, &client, &refresh).await? else { return Ok(None) };
    let holder = Holder::Recorded { grant: &grant, ends_at: refresh.expires_at };
    Ok(passes(ctx, &client, holder, &grant.scope, &grant.audience).then(|| Live::Refresh(Box::new((refresh, grant)))))
}

/// The access token, if it is good now.
///
/// # Errors
/// [`OAuthError::Unavailable`] when a store does not answer.
pub async fn access_token(ctx: &Ctx, token: &str) -> Result<Option<AccessToken>, OAuthError> {
    let keys = ctx.keys.verifying_keys();
    let Ok(access) = ctx.verifier.verify(token, &keys, ctx.now().seconds()) else { return Ok(None) };
    let (Ok(client_id), Ok(scope)) = (access.client_id.parse::<ClientId>(), Scope::parse(&access.scope)) else {
        return Ok(None);
    };
    let Some(client) = ctx.store.client(&client_id).await? else { return Ok(None) };
    let good = match &access.sid {
        None => {
            let issued_at = Timestamp::from_seconds(access.iat);
            passes(ctx, &client, Holder::Client { issued_at }, &scope, &access.aud)
        }
        Some(sid) => match sid.parse() {
            Ok(session) => session_is_live(ctx, &client, session, &scope, &access.aud).await?,
            Err(_) => false,
        },
    };
    Ok(good.then_some(access))
}

async fn session_is_live(
    ctx: &Ctx,
    client: &Arc<Client>,
    id: SessionId,
    scope: &Scope,
    audience: &[String],
) -> Result<bool, OAuthError> {
    if ctx.store.memory.has_ended(id) {
        return Ok(false);
    }
    let known = match ctx.store.hot.load(id).await {
        Ok((known, _)) => known,
        // An administrator must be able to end sessions while the hot state is away. Ends are in the ledger first.
        Err(StoreError::Unavailable { .. }) => HotSession::Absent,
        Err(error) => return Err(error.into()),
    };
    match known {
        HotSession::Ended => Ok(false),
        HotSession::Live(record) => {
            let holder = Holder::Recorded { grant: &record.grant, ends_at: record.ends_at };
            Ok(passes(ctx, client, holder, scope, audience))
        }
        // The record is out of reach, lost, or its refresh token has expired: the ledger knows whether the session was ended.
        HotSession::Absent => {
            let Some(session) = ctx.store.ledger.session(id).await? else { return Ok(false) };
            let user = ctx.store.ledger.user(session.user_id).await?;
            let holder = Holder::Ledgered { session: &session, user: user.as_ref() };
            Ok(passes(ctx, client, holder, scope, audience))
        }
    }
}

fn passes(ctx: &Ctx, client: &Client, holder: Holder<'_>, scope: &Scope, audience: &[String]) -> bool {
    let asked = Asked {
        scope,
        audience,
        allowed_audience: &clients::allowed_audience(ctx, client),
        global_watermark: ctx.store.memory.global_watermark(),
        now: ctx.now(),
    };
    gate::may_receive_tokens(client, holder, asked).is_ok()
}

/// A caller may ask about its own tokens, those meant for it, and all if it holds `tokenhouse:introspect`.
fn concerns(ctx: &Ctx, caller: &Client, live: &Live) -> bool {
    if caller.scope.contains(scope::INTROSPECT) {
        return true;
    }
    match live {
        Live::Access(access) => access.client_id == caller.id.as_str() || is_meant_for(ctx, caller, &access.aud),
        Live::Refresh(refresh) => refresh.0.client_id == caller.id,
    }
}

/// A resource server names itself by its client identifier or by an audience registered for it. The issuer's own name,
/// which is the default audience of everybody, tells nothing.
fn is_meant_for(ctx: &Ctx, caller: &Client, audience: &[String]) -> bool {
    audience
        .iter()
        .filter(|name| **name != ctx.config.issuer)
        .any(|name| name == caller.id.as_str() || caller.audience.contains(name))
}
