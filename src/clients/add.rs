//! Adding a client.

use std::time::Duration;

use serde::Deserialize;

use super::check::{auth_method, check, check_secret};
use super::secrets::current_secret;
use crate::audit::{Actor, AuditEvent};
use crate::clock::Timestamp;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{Client, ClientId, ClientKind, ClientState, RefreshPolicy, Secret, SignOn};
use crate::protocol::{AuthMethod, GrantType, RedirectUri, Scope};
use crate::store::{StoreError, UniqueKey};

/// A client to be added. Absent parts take the safe default.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of `Client`")]
pub struct NewClient {
    #[schema(value_type = String)]
    pub id: ClientId,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub public: bool,
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub auth_method: Option<AuthMethod>,
    #[serde(default)]
    pub trusted: bool,
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub grants: Vec<GrantType>,
    #[serde(default)]
    #[schema(value_type = String)]
    pub scope: Scope,
    #[serde(default)]
    pub audience: Vec<String>,
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub redirect_uris: Vec<RedirectUri>,
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    #[serde(default)]
    pub backchannel_logout_uri: Option<String>,
    /// What else is registered about sign-in.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub sign_on: SignOn,
    /// Seconds; the server's where absent.
    #[serde(default)]
    pub access_lifetime: Option<u64>,
    /// Seconds; the server's where absent.
    #[serde(default)]
    pub refresh_lifetime: Option<u64>,
    /// A secret brought along; generated for a confidential client where absent.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub secret: Option<Secret>,
}

/// Adds a client. The second value is its secret where one was generated; it is kept nowhere.
///
/// # Errors
/// `invalid_request` when the parts do not go together; [`Error::Conflict`] when the identifier is taken.
pub async fn add(ctx: &Ctx, new: NewClient, actor: Actor) -> Result<(Client, Option<Secret>), Error> {
    let kind = if new.public { ClientKind::Public } else { ClientKind::Confidential };
    let auth_method = auth_method(kind, new.auth_method)?;
    check_secret(kind, new.secret.as_ref())?;
    let generated = (kind == ClientKind::Confidential && new.secret.is_none()).then(|| Secret::random(&ctx.random));
    let now = ctx.now();
    let secrets = new.secret.as_ref().or(generated.as_ref()).map(current_secret).into_iter().collect();
    let client = Client {
        name: new.name.unwrap_or_else(|| new.id.to_string()),
        id: new.id,
        kind,
        auth_method,
        state: ClientState::Active,
        trusted: new.trusted,
        grants: new.grants,
        scope: new.scope,
        audience: new.audience,
        redirect_uris: new.redirect_uris,
        post_logout_redirect_uris: new.post_logout_redirect_uris,
        backchannel_logout_uri: new.backchannel_logout_uri,
        sign_on: new.sign_on,
        access_token_algorithm: None,
        access_lifetime: new.access_lifetime.map(Duration::from_secs),
        previous_access_lifetime: None,
        refresh_lifetime: new.refresh_lifetime.map(Duration::from_secs),
        refresh: RefreshPolicy::default(),
        status_index: ctx.store.status_index(ctx.now()).await?,
        // Tokens of a removed client of the same identifier are not its own. Tokens tell their age in whole seconds.
        not_before: Timestamp::from_seconds(now.seconds()),
        created_at: now,
        secrets,
    };
    check(ctx, &client)?;
    let entry = ctx.audit(actor, AuditEvent::ClientAdded { client: client.id.clone() });
    match ctx.store.database.add_client(&client, &entry).await {
        Ok(()) => Ok((client, generated)),
        Err(StoreError::Conflict(UniqueKey::ClientId)) => {
            Err(Error::Conflict("a client with this identifier exists".into()))
        }
        Err(error) => Err(error.into()),
    }
}
