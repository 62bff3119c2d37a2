//! Changing a client. What it loses, its sessions and the tokens of its own lose too, before the change is
//! acknowledged.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::check::check;
use super::manage::unknown;
use crate::audit::{Actor, AuditEvent};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::gate::audience;
use crate::model::{
    Client, ClientId, EndReason, RefreshPolicy, Session, SessionFilter, SignOnChange, SigningAlgorithm,
};
use crate::protocol::{GrantType, RedirectUri, Scope};
use crate::sessions::{self, Applied, status_indexes};
use crate::store::sql::clients::ClientTokens;

/// What may be changed of a client. Absent parts stay as they are; `null` takes away what a client need not have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
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
    #[schema(value_type = Option<String>)]
    pub backchannel_logout_uri: Edit<String>,
    /// Parts of it by name; what is not named stays.
    #[schema(value_type = Option<Object>)]
    pub sign_on: SignOnChange,
    #[schema(value_type = Option<String>)]
    pub access_token_algorithm: Edit<SigningAlgorithm>,
    /// Seconds.
    #[schema(value_type = Option<u64>)]
    pub access_lifetime: Edit<u64>,
    /// Seconds.
    #[schema(value_type = Option<u64>)]
    pub refresh_lifetime: Edit<u64>,
    #[schema(value_type = Option<Object>)]
    pub refresh: Option<RefreshPolicy>,
}

impl ClientChange {
    /// Whether sessions may hold more than the client may be granted after it.
    #[must_use]
    pub const fn may_narrow(&self) -> bool {
        self.scope.is_some() || self.audience.is_some()
    }
}

/// What becomes of a part that a client need not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Edit<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// It is taken away: `null` in JSON.
    Clear,
    /// It becomes this.
    Set(T),
}

impl<T> Edit<T> {
    /// The part after the change.
    fn of(self, previous: Option<T>) -> Option<T> {
        match self {
            Self::Keep => previous,
            Self::Clear => None,
            Self::Set(new) => Some(new),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Edit<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Clear, Self::Set))
    }
}

/// As the OpenAPI document shows the default.
impl<T: Serialize> Serialize for Edit<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Keep | Self::Clear => serializer.serialize_none(),
            Self::Set(new) => new.serialize(serializer),
        }
    }
}

/// Changes a client. Sessions that hold more than the client may be granted from now on are ended before this returns;
/// so are the tokens of its own, all of them, where one may hold more.
///
/// # Errors
/// [`Error::NotFound`]; `invalid_request` when the parts do not go together.
pub async fn change(ctx: &Ctx, id: &ClientId, wanted: ClientChange, actor: Actor) -> Result<(Client, Applied), Error> {
    let entry = ctx.audit(actor.clone(), AuditEvent::ClientChanged { client: id.clone() });
    // Also when nothing changes by it: an earlier call may have been cut off before it had ended them all.
    let may_narrow = wanted.may_narrow();
    let decide = |before: Client| {
        let mut client = before.clone();
        apply(&mut client, wanted)?;
        check(ctx, &client)?;
        let keeps_all = fits(ctx, &client, &before.scope, &audience::allowed(ctx, &before));
        Ok((client, if keeps_all { ClientTokens::Stay } else { ClientTokens::Revoked }))
    };
    let (_, client) = ctx.store.database.edit_client(id, &entry, decide).await?.ok_or_else(unknown)?;
    status_indexes::revoke_known(ctx).await?;
    let applied = if may_narrow { end_sessions_beyond(ctx, &client, &actor).await? } else { Applied::Everywhere };
    Ok((client, applied))
}

fn apply(client: &mut Client, wanted: ClientChange) -> Result<(), Error> {
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
    client.backchannel_logout_uri = backchannel_logout_uri.of(client.backchannel_logout_uri.take());
    client.sign_on = sign_on.of(&client.sign_on)?;
    client.access_token_algorithm = access_token_algorithm.of(client.access_token_algorithm);
    client.access_lifetime =
        access_lifetime.of(client.access_lifetime.map(|life| life.as_secs())).map(Duration::from_secs);
    client.refresh_lifetime =
        refresh_lifetime.of(client.refresh_lifetime.map(|life| life.as_secs())).map(Duration::from_secs);
    client.refresh = refresh.unwrap_or_else(|| client.refresh.clone());
    Ok(())
}

/// Whether the client may be granted this much.
fn fits(ctx: &Ctx, client: &Client, scope: &Scope, audience: &[String]) -> bool {
    let allowed = audience::allowed(ctx, client);
    scope.is_within(&client.scope) && audience.iter().all(|audience| allowed.contains(audience))
}

/// Ends the sessions whose scope or audience the client may no longer be granted.
async fn end_sessions_beyond(ctx: &Ctx, client: &Client, actor: &Actor) -> Result<Applied, Error> {
    let filter = SessionFilter { client: Some(client.id.clone()), ..SessionFilter::default() };
    let is_beyond = |session: &Session| !fits(ctx, client, &session.scope, &session.audience);
    sessions::end_each(ctx, filter, is_beyond, EndReason::ScopeWithdrawn, actor).await
}
