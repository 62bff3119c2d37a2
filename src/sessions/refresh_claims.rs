//! Brings the rotation records of a user's live sessions up to the user's roles and groups.
//!
//! Roles and groups are part of the rotation record, so that a refresh needs no SQL. A change of them
//! (`users/change.rs`) is written to the database, then into the record of each live session of the user by
//! compare-and-set, and then answered. A record is done when record and row were read equal, the row last.
//!
//! - A sign-in under way is refused where the user has other rights than the attempt has read.
//! - A record that is rebuilt takes roles and groups from the row.
//! - Where the ephemeral store does not answer, the row stays changed and the answer is 503: the caller repeats the
//!   call.
//! - After an ephemeral store may have lost writes, a background job refreshes the records of all users whose rights
//!   changed within the longest refresh lifetime. This also finishes a change whose 503 was not repeated, if Redis was
//!   gone and not merely slow. For about a second after such a loss, a refresh may still carry the roles of before a
//!   change that was among the lost writes.
//! - A user who stops being an administrator loses the sessions that hold a scope of this server (`tokenhouse:…`).

use super::end::{self, Applied};
use crate::audit::Actor;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{EndReason, PageRequest, RotationState, SessionFilter, SessionId, UserId};

/// Each round beyond two means a concurrent change of the record or of the user.
const MAX_ROUNDS: u32 = 16;

/// Writes the user's current roles and groups into the records of all live sessions.
/// After an error, a repeated call continues.
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

/// Writes the user's current roles and groups into one record.
///
/// The user is read after the record, and the loop ends only when both are equal. Of several concurrent calls after
/// several changes, the last writer has therefore seen the last change.
pub async fn refresh_one(ctx: &Ctx, session: SessionId, user: UserId) -> Result<(), Error> {
    for _ in 0..MAX_ROUNDS {
        // A record that is rebuilt later is built from the user's row as it is then.
        let (RotationState::Live(record), _) = ctx.store.ephemeral.load(session).await? else { return Ok(()) };
        // A removed user has no sessions.
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

/// Ends the user's live sessions that hold a scope of this server. After an error, a repeated call continues.
pub async fn end_those_over_this_server(
    ctx: &Ctx,
    user: UserId,
    reason: EndReason,
    actor: &Actor,
) -> Result<Applied, Error> {
    let theirs = SessionFilter { user: Some(user), ..SessionFilter::default() };
    end::end_each(ctx, theirs, |session| session.scope.concerns_this_server(), reason, actor).await
}
