//! Changing a client. What it loses, its sessions lose too, before the change is acknowledged.

use std::time::Duration;

use serde::Deserialize;

use super::allowed_audience;
use super::check::check;
use super::manage::unknown;
use crate::audit::{Actor, AuditEvent};
use crate::ctx::Ctx;
use crate::model::{Client, ClientId, EndReason, PageRequest, RefreshPolicy, SessionFilter, SignOn, SigningAlgorithm};
use crate::protocol::{GrantType, OAuthError, RedirectUri, Scope};
use crate::sessions::{self, Applied};

/// What may be changed of a client. Absent parts stay as they are.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "the fields are those of `Client`")]
pub struct ClientChange {
    pub name: Option<String>,
    pub trusted: Option<bool>,
    #[schema(value_type = Option<Vec<String>>)]
    pub grants: Option<Vec<GrantType>>,
    #[schema(value_type = Option<String>)]
    pub scope: Option<Scope>,
    pub audience: Option<Vec<String>>,
    #[schema(value_type = Option<Vec<String>>)]
    pub redirect_uris: Option<Vec<RedirectUri>>,
    #[schema(value_type = Option<Vec<String>>)]
    pub post_logout_redirect_uris: Option<Vec<RedirectUri>>,
    pub backchannel_logout_uri: Option<String>,
    #[schema(value_type = Option<Object>)]
    pub sign_on: Option<SignOn>,
    #[schema(value_type = Option<String>)]
    pub access_token_algorithm: Option<SigningAlgorithm>,
    /// Seconds.
    pub access_lifetime: Option<u64>,
    /// Seconds.
    pub refresh_lifetime: Option<u64>,
    #[schema(value_type = Option<Object>)]
    pub refresh: Option<RefreshPolicy>,
}

/// Changes a client. Sessions that hold more than the client may be granted from now on are ended before this returns.
///
/// # Errors
/// [`OAuthError::NotFound`]; `invalid_request` when the parts do not go together.
pub async fn change(
    ctx: &Ctx,
    id: &ClientId,
    wanted: ClientChange,
    actor: Actor,
) -> Result<(Client, Applied), OAuthError> {
    let entry = ctx.audit(actor.clone(), AuditEvent::ClientChanged { client: id.clone() });
    // Also when nothing changes by it: an earlier call may have been cut off before it had ended them all.
    let may_narrow = wanted.scope.is_some() || wanted.audience.is_some();
    let decide = |mut client: Client| {
        apply(&mut client, wanted);
        check(ctx, &client).map(|()| client)
    };
    let (_, client) = ctx.store.ledger.edit_client(id, &entry, decide).await?.ok_or_else(unknown)?;
    ctx.store.memory.forget_client(id);
    let applied = if may_narrow { end_sessions_beyond(ctx, &client, &actor).await? } else { Applied::Everywhere };
    Ok((client, applied))
}

fn apply(client: &mut Client, wanted: ClientChange) {
    let ClientChange {
        name,
        trusted,
        grants,
        scope,
        audience,
        redirect_uris,
        post_logout_redirect_uris,
        backchannel_logout_uri,
        sign_on,
        access_token_algorithm,
        access_lifetime,
        refresh_lifetime,
        refresh,
    } = wanted;
    client.name = name.unwrap_or_else(|| client.name.clone());
    client.trusted = trusted.unwrap_or(client.trusted);
    client.grants = grants.unwrap_or_else(|| client.grants.clone());
    client.scope = scope.unwrap_or_else(|| client.scope.clone());
    client.audience = audience.unwrap_or_else(|| client.audience.clone());
    client.redirect_uris = redirect_uris.unwrap_or_else(|| client.redirect_uris.clone());
    client.post_logout_redirect_uris =
        post_logout_redirect_uris.unwrap_or_else(|| client.post_logout_redirect_uris.clone());
    client.backchannel_logout_uri = backchannel_logout_uri.or_else(|| client.backchannel_logout_uri.clone());
    client.sign_on = sign_on.unwrap_or_else(|| client.sign_on.clone());
    client.access_token_algorithm = access_token_algorithm.or(client.access_token_algorithm);
    client.access_lifetime = access_lifetime.map(Duration::from_secs).or(client.access_lifetime);
    client.refresh_lifetime = refresh_lifetime.map(Duration::from_secs).or(client.refresh_lifetime);
    client.refresh = refresh.unwrap_or_else(|| client.refresh.clone());
}

/// Whether the client may be granted this much.
fn fits(ctx: &Ctx, client: &Client, scope: &Scope, audience: &[String]) -> bool {
    let allowed = allowed_audience(ctx, client);
    scope.is_within(&client.scope) && audience.iter().all(|audience| allowed.contains(audience))
}

/// Ends the sessions whose scope or audience the client may no longer be granted.
async fn end_sessions_beyond(ctx: &Ctx, client: &Client, actor: &Actor) -> Result<Applied, OAuthError> {
    let filter = SessionFilter { client: Some(client.id.clone()), live_only: true, ..SessionFilter::default() };
    let mut page = PageRequest::new(None, Some(PageRequest::MAX));
    let mut applied = Applied::Everywhere;
    loop {
        let found = ctx.store.ledger.list_sessions(&filter, &page, ctx.now()).await?;
        for session in found.items.iter().filter(|session| !fits(ctx, client, &session.scope, &session.audience)) {
            let ended = sessions::end_one(ctx, session.id, EndReason::ScopeWithdrawn, actor.clone()).await?;
            if ended == Some(Applied::Pending) {
                applied = Applied::Pending;
            }
        }
        if found.next.is_none() {
            return Ok(applied);
        }
        page.after = found.next;
    }
}
