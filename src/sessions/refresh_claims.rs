//! What follows for a user's live sessions when the user's rights change: their records say what the next tokens say.

use super::end::{self, Applied};
use crate::audit::Actor;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{EndReason, PageRequest, RotationState, SessionFilter, SessionId, UserId};

/// Each round but two means that somebody else has changed the record or the user meanwhile.
const MAX_ROUNDS: u32 = 16;

/// Brings the records of a user's live sessions up to the roles and groups that the database has.
///
/// # Errors
/// [`Error::Unavailable`] when a store does not answer; calling again goes on.
pub async fn refresh_claims(ctx: &Ctx, user: UserId) -> Result<(), Error> {
    let live = SessionFilter { user: Some(user), live_only: true, ..SessionFilter::default() };
    let mut page = PageRequest::new(None, Some(PageRequest::MAX));
    loop {
        let found = ctx.store.database.list_sessions(&live, &page, ctx.now()).await?;
        for session in found.items {
            refresh_one(ctx, session.id, user).await?;
        }
        if found.next.is_none() {
            return Ok(());
        }
        page.after = found.next;
    }
}

/// Brings one record up to the roles and groups that the database has.
///
/// The user is read after the record, and it is over only when both are equal. So of several that do this at once,
/// after several changes, the last to write has seen the last change.
///
/// # Errors
/// [`Error::Unavailable`] when a store does not answer.
pub async fn refresh_one(ctx: &Ctx, session: SessionId, user: UserId) -> Result<(), Error> {
    for _ in 0..MAX_ROUNDS {
        // What is made again later is made from the user as the database has it then.
        let (RotationState::Live(record), _) = ctx.store.ephemeral.load(session).await? else { return Ok(()) };
        // Who is removed has no session.
        let Some(user) = ctx.store.database.user(user).await? else { return Ok(()) };
        if record.grant.roles == user.roles && record.grant.groups == user.groups {
            return Ok(());
        }
        let mut next = record.clone();
        next.grant.roles = user.roles;
        next.grant.groups = user.groups;
        ctx.store.ephemeral.replace(session, &record, &next).await?;
    }
    Err(Error::unavailable("a rotation record that changes without end"))
}

/// Ends the user's live sessions that have rights over this server.
///
/// # Errors
/// [`Error::Unavailable`] when the database does not answer; calling again goes on.
pub async fn end_those_over_this_server(
    ctx: &Ctx,
    user: UserId,
    reason: EndReason,
    actor: &Actor,
) -> Result<Applied, Error> {
    let theirs = SessionFilter { user: Some(user), ..SessionFilter::default() };
    end::end_each(ctx, theirs, |session| session.scope.concerns_this_server(), reason, actor).await
}
