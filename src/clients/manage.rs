//! Enables, disables and removes clients.

use crate::audit::{Actor, AuditEvent};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{ClientId, ClientState, EndReason, SessionFilter};
use crate::sessions::{self, Applied, status_indexes};

pub async fn enable(ctx: &Ctx, id: &ClientId, actor: Actor) -> Result<(), Error> {
    let entry = ctx.audit(actor, AuditEvent::ClientEnabled { client: id.clone() });
    if !ctx.store.database.set_client_state(id, ClientState::Active, ctx.now(), &entry).await? {
        return Err(unknown());
    }
    Ok(())
}

/// Stops a client from obtaining tokens and ends its sessions.
pub async fn disable(ctx: &Ctx, id: &ClientId, actor: Actor) -> Result<Applied, Error> {
    stop(ctx, id, EndReason::ClientDisabled, actor).await
}

async fn stop(ctx: &Ctx, id: &ClientId, reason: EndReason, actor: Actor) -> Result<Applied, Error> {
    let entry = ctx.audit(actor.clone(), AuditEvent::ClientDisabled { client: id.clone() });
    if !ctx.store.database.set_client_state(id, ClientState::Disabled, ctx.now(), &entry).await? {
        return Err(unknown());
    }
    end_all(ctx, id, reason, actor).await
}

/// Removes a client and ends its sessions.
///
/// # Errors
/// [`Error::NotFound`]; `invalid_request` for the built-in client, which `simplejwt.enabled` switches off.
pub async fn remove(ctx: &Ctx, id: &ClientId, actor: Actor) -> Result<Applied, Error> {
    if id.is_simplejwt() {
        return Err(Error::invalid_request("the built-in client is switched off by simplejwt.enabled = false"));
    }
    let applied = stop(ctx, id, EndReason::ClientRemoved, actor.clone()).await?;
    let entry = ctx.audit(actor, AuditEvent::ClientRemoved { client: id.clone() });
    ctx.store.database.remove_client(id, &entry).await?;
    // The client may have been enabled again in between.
    status_indexes::revoke_known(ctx).await?;
    Ok(applied)
}

pub(super) fn unknown() -> Error {
    Error::NotFound("there is no such client".into())
}

async fn end_all(ctx: &Ctx, id: &ClientId, reason: EndReason, actor: Actor) -> Result<Applied, Error> {
    let filter = SessionFilter { client: Some(id.clone()), ..SessionFilter::default() };
    Ok(sessions::end_matching(ctx, &filter, reason, actor).await?.applied)
}
