//! The built-in client of the SimpleJWT-compatible API.

use super::change::change;
use crate::audit::{Actor, AuditEvent};
use crate::clock::Timestamp;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{Client, ClientId, ClientMetadata, ClientState};
use crate::protocol::{AuthMethod, GrantType, MergePatch, Scope, scope};
use crate::store::{StoreError, UniqueKey};

/// Adds the built-in client of the SimpleJWT-compatible API if it is missing, and updates its scope.
pub async fn ensure_simplejwt(ctx: &Ctx) -> Result<(), Error> {
    let id = ClientId::simplejwt();
    let scope = simplejwt_scope(ctx)?;
    if let Some(client) = ctx.store.database.client(&id).await? {
        if client.metadata.scope == scope {
            return Ok(());
        }
        let wanted = MergePatch::default().with("scope", scope.as_str());
        return change(ctx, &id, wanted, Actor::System).await.map(|_| ());
    }
    let client = Client {
        metadata: ClientMetadata {
            client_name: Some("SimpleJWT-compatible API".to_owned()),
            token_endpoint_auth_method: AuthMethod::None,
            grant_types: vec![GrantType::SimpleJwt, GrantType::RefreshToken],
            scope,
            trusted: true,
            ..ClientMetadata::default()
        },
        state: ClientState::Active,
        status_index: ctx.store.status_index(ctx.now()).await?,
        not_before: Timestamp::default(),
        created_at: ctx.now(),
        previous_access_lifetime: None,
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

/// Returns the configured scope and the scopes of the admin API, which only administrators are granted.
fn simplejwt_scope(ctx: &Ctx) -> Result<Scope, Error> {
    let words = [ctx.config.simplejwt.scope.as_str(), scope::ADMIN, scope::ADMIN_READ, scope::SESSIONS];
    Ok(Scope::parse(words.join(" ").trim())?)
}
