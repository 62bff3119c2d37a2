//! Adds a client.

use serde::Deserialize;

use super::check::{check, check_secret};
use super::secrets::current_secret;
use crate::audit::{Actor, AuditEvent};
use crate::clock::Timestamp;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{Client, ClientId, ClientMetadata, ClientState, Secret};
use crate::protocol::MergePatch;
use crate::store::{StoreError, UniqueKey};

/// A client to be added. As JSON it is one flat object.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "MergePatch")]
pub struct NewClient {
    #[serde(rename = "client_id")]
    #[schema(value_type = String)]
    pub id: ClientId,
    #[serde(flatten)]
    pub metadata: ClientMetadata,
    /// A secret chosen by the administrator; generated for a confidential client where absent.
    #[serde(rename = "client_secret")]
    #[schema(value_type = Option<String>)]
    pub secret: Option<Secret>,
}

/// Accepts the representation of an existing client: the members that the server assigns are ignored and assigned
/// anew.
impl TryFrom<MergePatch> for NewClient {
    type Error = Error;

    fn try_from(mut members: MergePatch) -> Result<Self, Error> {
        let id = members.take("client_id")?;
        let secret = members.take("client_secret")?;
        if members.take("tokenhouse_state")?.is_some_and(|state: ClientState| state != ClientState::Active) {
            return Err(Error::invalid_request("tokenhouse_state: a new client is active; disable it afterwards"));
        }
        for name in Client::ASSIGNED {
            members.remove(name);
        }
        Ok(Self {
            id: id.ok_or_else(|| Error::invalid_request("missing field `client_id`"))?,
            metadata: ClientMetadata::default().patched(&members)?,
            secret,
        })
    }
}

/// Adds a client. Returns its secret where one was generated; only a digest of it is stored.
pub async fn add(ctx: &Ctx, new: NewClient, actor: Actor) -> Result<(Client, Option<Secret>), Error> {
    let now = ctx.now();
    let mut client = Client {
        id: new.id,
        metadata: new.metadata,
        state: ClientState::Active,
        status_index: ctx.store.status_index(now).await?,
        // Tokens of a removed client with the same identifier must stay invalid. Tokens carry their age in whole
        // seconds.
        not_before: Timestamp::from_seconds(now.seconds()),
        created_at: now,
        previous_access_lifetime: None,
        secrets: Vec::new(),
    };
    check_secret(&client, new.secret.as_ref())?;
    check(ctx, &client)?;
    let generated = (!client.is_public() && new.secret.is_none()).then(|| Secret::random(&ctx.random));
    client.secrets = new.secret.as_ref().or(generated.as_ref()).map(current_secret).into_iter().collect();
    let entry = ctx.audit(actor, AuditEvent::ClientAdded { client: client.id.clone() });
    match ctx.store.database.add_client(&client, &entry).await {
        Ok(()) => Ok((client, generated)),
        Err(StoreError::Conflict(UniqueKey::ClientId)) => {
            Err(Error::Conflict("a client with this identifier exists".into()))
        }
        Err(error) => Err(error.into()),
    }
}
