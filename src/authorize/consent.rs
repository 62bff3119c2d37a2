//! What people agree to, and take back.

use std::sync::Arc;

use crate::audit::{Actor, AuditEvent};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{Client, ClientId, Consent, EndReason, SessionFilter, User, UserId};
use crate::protocol::Scope;
use crate::sessions;

/// What the user has agreed to with this client. A previous one of the same identifier was another one.
pub(super) async fn given(ctx: &Ctx, user: UserId, client: &Client) -> Result<Option<Arc<Consent>>, Error> {
    let consent = ctx.store.consent(user, &client.id).await?;
    Ok(consent.filter(|consent| consent.given_at >= client.created_at))
}

/// Adds `scope` to what the user has agreed to.
pub(super) async fn give(ctx: &Ctx, user: &User, client: &Client, scope: &Scope) -> Result<(), Error> {
    let agreed = ctx.store.database.consent(user.id, &client.id).await?;
    let scope = agreed.map_or_else(|| scope.clone(), |agreed| agreed.scope.and(scope));
    let entry = ctx.audit(
        Actor::User(user.id),
        AuditEvent::ConsentGiven { user: user.id, client: client.id.clone(), scope: scope.clone() },
    );
    let consent = Consent { user_id: user.id, client_id: client.id.clone(), scope, given_at: ctx.now() };
    ctx.store.database.give_consent(&consent, &entry).await?;
    ctx.store.memory.forget_user(user.id);
    Ok(())
}

/// Takes back what the user has agreed to with the application, and ends its sessions for the user.
///
/// # Errors
/// [`Error::Unavailable`] when the database does not answer; calling again goes on.
pub async fn withdraw(ctx: &Ctx, user: UserId, client: &ClientId) -> Result<(), Error> {
    let actor = Actor::User(user);
    let entry = ctx.audit(actor.clone(), AuditEvent::ConsentWithdrawn { user, client: client.clone() });
    ctx.store.database.withdraw_consent(user, client, &entry).await?;
    ctx.store.memory.forget_user(user);
    let theirs = SessionFilter { user: Some(user), client: Some(client.clone()), ..SessionFilter::default() };
    sessions::end_matching(ctx, &theirs, EndReason::ConsentWithdrawn, actor).await.map(drop)
}
