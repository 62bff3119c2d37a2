//! The built-in client of the SimpleJWT-compatible API.

use super::change::{ClientChange, change};
use crate::audit::{Actor, AuditEvent};
use crate::clock::Timestamp;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{Client, ClientId, ClientKind, ClientState, RefreshPolicy, SignOn};
use crate::protocol::{AuthMethod, GrantType, Scope, scope};
use crate::store::{StoreError, UniqueKey};

/// Makes sure that the built-in client of the SimpleJWT-compatible API is on record.
///
/// # Errors
/// [`Error::Unavailable`] when the database does not answer.
pub async fn ensure_simplejwt(ctx: &Ctx) -> Result<(), Error> {
    let id = ClientId::simplejwt();
    let scope = simplejwt_scope(ctx)?;
    if let Some(client) = ctx.store.database.client(&id).await? {
        if client.scope == scope {
            return Ok(());
        }
        let wanted = ClientChange { scope: Some(scope), ..ClientChange::default() };
        return change(ctx, &id, wanted, Actor::System).await.map(|_| ());
    }
    let client = Client {
        name: "SimpleJWT-compatible API".to_owned(),
        kind: ClientKind::Public,
        auth_method: AuthMethod::None,
        state: ClientState::Active,
        trusted: true,
        grants: vec![GrantType::SimpleJwt, GrantType::RefreshToken],
        scope,
        audience: Vec::new(),
        redirect_uris: Vec::new(),
        post_logout_redirect_uris: Vec::new(),
        backchannel_logout_uri: None,
        sign_on: SignOn::default(),
        access_token_algorithm: None,
        access_lifetime: None,
        previous_access_lifetime: None,
        refresh_lifetime: None,
        refresh: RefreshPolicy::default(),
        status_index: ctx.store.status_index(ctx.now()).await?,
        not_before: Timestamp::default(),
        created_at: ctx.now(),
        secrets: Vec::new(),
        id,
    };
    let entry = ctx.audit(Actor::System, AuditEvent::ClientAdded { client: client.id.clone() });
    match ctx.store.database.add_client(&client, &entry).await {
        // Another instance was faster.
        Ok(()) | Err(StoreError::Conflict(UniqueKey::ClientId)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// What the SimpleJWT-compatible API may grant: the configured scope, and the admin API's scopes to administrators.
fn simplejwt_scope(ctx: &Ctx) -> Result<Scope, Error> {
    let words = [ctx.config.simplejwt.scope.as_str(), scope::ADMIN, scope::ADMIN_READ, scope::SESSIONS];
    Ok(Scope::parse(words.join(" ").trim())?)
}
