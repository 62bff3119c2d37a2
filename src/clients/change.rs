//! Changes a client. Sessions and tokens that hold more than the client may be granted are revoked before the change
//! is acknowledged.

use super::check::{check, check_kind_stays};
use super::manage::unknown;
use crate::audit::{Actor, AuditEvent};
use crate::ctx::Ctx;
use crate::error::{Error, Internal};
use crate::gate::audience;
use crate::model::{Client, ClientId, EndReason, Session, SessionFilter};
use crate::protocol::{MergePatch, Scope};
use crate::sessions::{self, Applied, status_indexes};
use crate::store::sql::clients::ClientTokens;

/// Changes the metadata of a client by a merge patch (RFC 7396). Before it returns, sessions that hold more than the
/// client may be granted from now on are ended. All of the client's own tokens are revoked where one of them may hold
/// more.
///
/// # Errors
/// [`Error::NotFound`]; `invalid_request` when the patch names a member that does not exist or cannot be changed, or
/// when the resulting metadata is inconsistent.
pub async fn change(ctx: &Ctx, id: &ClientId, patch: MergePatch, actor: Actor) -> Result<(Client, Applied), Error> {
    let entry = ctx.audit(actor.clone(), AuditEvent::ClientChanged { client: id.clone() });
    // Computed even when nothing changes: an earlier call may have been interrupted before it had ended all sessions.
    let may_narrow = may_narrow(&patch);
    let decide = |before: Client| {
        let patch = of_metadata(patch, &before)?;
        let client = Client { metadata: before.metadata.patched(&patch)?, ..before.clone() };
        check_kind_stays(&before, &client)?;
        check(ctx, &client)?;
        let keeps_all = fits(ctx, &client, &before.metadata.scope, &audience::allowed(ctx, &before));
        Ok((client, if keeps_all { ClientTokens::Stay } else { ClientTokens::Revoked }))
    };
    let (_, client) = ctx.store.database.edit_client(id, &entry, decide).await?.ok_or_else(unknown)?;
    status_indexes::revoke_known(ctx).await?;
    let applied = if may_narrow { end_sessions_beyond(ctx, &client, &actor).await? } else { Applied::Everywhere };
    Ok((client, applied))
}

/// Whether sessions may hold more than the client may be granted after the change.
#[must_use]
pub fn may_narrow(patch: &MergePatch) -> bool {
    patch.names("scope") || patch.names("tokenhouse_audience")
}

/// Removes the members that the server assigns from the patch. A caller may send them back unchanged.
fn of_metadata(mut patch: MergePatch, client: &Client) -> Result<MergePatch, Error> {
    let shown =
        serde_json::to_value(client).map_err(|error| Internal::new("a client cannot be shown as JSON", error))?;
    for name in Client::ASSIGNED.into_iter().chain(["client_id"]) {
        if patch.remove(name).is_some_and(|sent| shown[name] != sent) {
            return Err(Error::invalid_request(format!("{name} cannot be changed")));
        }
    }
    Ok(patch)
}

/// Whether the client may be granted this scope and audience.
fn fits(ctx: &Ctx, client: &Client, scope: &Scope, audience: &[String]) -> bool {
    let allowed = audience::allowed(ctx, client);
    scope.is_within(&client.metadata.scope) && audience.iter().all(|audience| allowed.contains(audience))
}

/// Ends the sessions whose scope or audience the client may no longer be granted.
async fn end_sessions_beyond(ctx: &Ctx, client: &Client, actor: &Actor) -> Result<Applied, Error> {
    let filter = SessionFilter { client: Some(client.id.clone()), ..SessionFilter::default() };
    let is_beyond = |session: &Session| !fits(ctx, client, &session.scope, &session.audience);
    sessions::end_each(ctx, filter, is_beyond, EndReason::ScopeWithdrawn, actor).await
}
