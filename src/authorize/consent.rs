//! Consent of users to applications, and its withdrawal.

use std::sync::Arc;

use crate::audit::{Actor, AuditEvent};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{Client, ClientId, Consent, EndReason, SessionFilter, User, UserId};
use crate::protocol::Scope;
use crate::sessions;

/// Returns the user's consent to this client. A consent to an earlier client with the same identifier does not count.
pub(super) async fn given(ctx: &Ctx, user: UserId, client: &Client) -> Result<Option<Arc<Consent>>, Error> {
    let consent = ctx.store.consent(user, &client.id).await?;
    Ok(consent.filter(|consent| consent.given_at >= client.created_at))
}

pub(super) async fn give(ctx: &Ctx, user: &User, client: &Client, scope: &Scope) -> Result<(), Error> {
    let agreed = ctx.store.database.consent(user.id, &client.id).await?;
    let scope = agreed.map_or_else(|| scope.clone(), |agreed| agreed.scope.and(scope));
    let entry = ctx.audit(
        Actor::User(user.id),
        AuditEvent::ConsentGiven { user: user.id, client: client.id.clone(), scope: scope.clone() },
    );
    let consent = Consent { user_id: user.id, client_id: client.id.clone(), scope, given_at: ctx.now() };
    ctx.store.database.give_consent(&consent, &entry).await?;
    Ok(())
}

/// Withdraws the user's consent to the client and ends the client's sessions for the user.
/// After an error, a repeated call continues.
pub async fn withdraw(ctx: &Ctx, user: UserId, client: &ClientId) -> Result<(), Error> {
    let actor = Actor::User(user);
    let entry = ctx.audit(actor.clone(), AuditEvent::ConsentWithdrawn { user, client: client.clone() });
    ctx.store.database.withdraw_consent(user, client, &entry).await?;
    let theirs = SessionFilter { user: Some(user), client: Some(client.clone()), ..SessionFilter::default() };
    sessions::end_matching(ctx, &theirs, EndReason::ConsentWithdrawn, actor).await.map(drop)
}
