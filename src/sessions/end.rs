//! How sessions end: the database's row first, then a tombstone in the ephemeral store, then the answer.
//!
//! Once the row is written the end cannot be undone. A tombstone that cannot be written now is kept as pending, this
//! instance refuses the session from memory, the others learn of it from the change feed, and background work writes
//! the tombstone as soon as the ephemeral store answers.

use std::time::Duration;

use serde::Serialize;

use super::status_indexes::{self, BatchClients};
use crate::audit::{Actor, AuditEntry, AuditEvent};
use crate::clock::Timestamp;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{ClientStatusIndex, EndReason, Ended, PageRequest, Session, SessionFilter, SessionId};
use crate::status_lists::REFUSED_WITHIN;
use crate::store::sql::sessions::EndOutcome;

/// How many sessions are ended in one transaction.
const BATCH: u32 = 500;

/// How far an end has come when it is acknowledged. Of several ends, the last to come counts: the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Applied {
    /// In the database and in the ephemeral store: no instance renews the session any more.
    Everywhere,
    /// In the database; the ephemeral store does not answer. Instances refuse the session as soon as they read the
    /// change feed (a second at most).
    Pending,
}

/// What ending all that match has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// Sessions that this call ended.
    pub sessions_ended: u64,
    /// Sessions whose access tokens are refused by introspection from now on: those of all that this call ended.
    pub access_tokens_refused: u64,
    /// By when services that verify offline and follow the status lists refuse them too. One that reads no list may
    /// accept them until `access_tokens_expire_by`; one that is cut off, for a minute, after which its lists have
    /// expired.
    pub offline_refused_by: Timestamp,
    /// When the last access token of these sessions expires, or a little later: as the longest life goes that their
    /// client, or the server, has given lately.
    pub access_tokens_expire_by: Timestamp,
    /// Applications that are told of it, once for each session.
    pub backchannel_logouts: u64,
    /// How far the ends have come.
    pub applied: Applied,
}

/// Ends one session. `None`: there is no such session.
///
/// # Errors
/// [`Error::Unavailable`] when the database does not answer: then nothing has ended.
pub async fn end_one(ctx: &Ctx, session: SessionId, reason: EndReason, actor: Actor) -> Result<Option<Applied>, Error> {
    let Some(row) = ctx.store.database.session(session).await? else { return Ok(None) };
    let event = AuditEvent::SessionEnded { session, user: row.user_id, client: row.client_id, reason };
    end_one_as(ctx, session, reason, ctx.audit(actor, event)).await
}

/// Ends one session with an audit entry of the caller's, which is written only if this call ended it.
///
/// # Errors
/// As [`end_one`].
pub async fn end_one_as(
    ctx: &Ctx,
    session: SessionId,
    reason: EndReason,
    entry: AuditEntry,
) -> Result<Option<Applied>, Error> {
    let ended = Ended { at: ctx.now(), reason };
    match ctx.store.database.end_session(session, ended, &entry).await? {
        EndOutcome::Absent => Ok(None),
        EndOutcome::Ended(row) | EndOutcome::EndedBefore(row) => {
            ctx.store.backchannel_due.notify_one();
            Ok(Some(write_tombstones(ctx, &[row]).await))
        }
    }
}

/// Ends, one by one, the live sessions of `filter` for which `is_over` holds; says how far the ends have come.
///
/// # Errors
/// [`Error::Unavailable`] when the database does not answer; calling again goes on.
pub async fn end_each(
    ctx: &Ctx,
    filter: SessionFilter,
    is_over: impl Fn(&Session) -> bool,
    reason: EndReason,
    actor: &Actor,
) -> Result<Applied, Error> {
    let filter = SessionFilter { live_only: true, ..filter };
    let mut page = PageRequest::new(None, Some(PageRequest::MAX));
    let mut applied = Applied::Everywhere;
    loop {
        let found = ctx.store.database.list_sessions(&filter, &page, ctx.now()).await?;
        for session in found.items.iter().filter(|session| is_over(session)) {
            let ended = end_one(ctx, session.id, reason, actor.clone()).await?;
            applied = applied.max(ended.unwrap_or(Applied::Everywhere));
        }
        if found.next.is_none() {
            return Ok(applied);
        }
        page.after = found.next;
    }
}

/// Ends every live session that matches. The `not_before` of the user, the client or the server rises first, so that a
/// sign-in that is under way is covered too.
///
/// # Errors
/// `invalid_request` for a moment that lies ahead; [`Error::Unavailable`] when the database does not answer:
/// sessions that were ended before that stay ended, and calling again goes on.
pub async fn end_matching(
    ctx: &Ctx,
    filter: &SessionFilter,
    reason: EndReason,
    actor: Actor,
) -> Result<Receipt, Error> {
    let at = ctx.now();
    if filter.issued_before.is_some_and(|moment| moment > at) {
        return Err(Error::invalid_request("issued_before lies ahead"));
    }
    raise_not_before(ctx, filter, at).await?;
    let filter = SessionFilter { live_only: true, ..filter.clone() };
    let mut receipt = Receipt {
        sessions_ended: 0,
        access_tokens_refused: 0,
        offline_refused_by: at,
        access_tokens_expire_by: at,
        backchannel_logouts: 0,
        applied: Applied::Everywhere,
    };
    let entry = |count| {
        let event = AuditEvent::SessionsRevoked { user: filter.user, client: filter.client.clone(), count, reason };
        ctx.audit(actor.clone(), event)
    };
    loop {
        // Each batch at its own moment: until then its sessions could be renewed.
        let ended = Ended { at: ctx.now(), reason };
        let batch = ctx.store.database.end_sessions(&filter, ended, BATCH, entry).await?;
        if batch.sessions.is_empty() {
            break;
        }
        receipt.backchannel_logouts += batch.backchannel_logouts;
        ctx.store.backchannel_due.notify_one();
        note_ended(ctx, &batch.sessions);
        let clients = BatchClients::of(ctx, &batch.sessions).await;
        receipt.applied = receipt.applied.max(settle(ctx, &batch.sessions, &clients).await);
        count(ctx, &mut receipt, &batch.sessions, &clients, ended.at);
    }
    if receipt.sessions_ended == 0 {
        // The `not_before` rose all the same.
        ctx.store.database.record(&entry(0)).await?;
    }
    receipt.offline_refused_by = ctx.now().plus(REFUSED_WITHIN);
    Ok(receipt)
}

/// Sets the bits of sessions that have ended in the database, and writes their tombstones, or remembers that they are
/// still to be written.
pub async fn write_tombstones(ctx: &Ctx, sessions: &[Session]) -> Applied {
    note_ended(ctx, sessions);
    settle(ctx, sessions, &BatchClients::of(ctx, sessions).await).await
}

/// Lets this instance refuse the sessions, and remembers that their tombstones are still to be written. The commit of an
/// end has done both; where another instance has ended some of these, it has not. This comes before anything is awaited:
/// a caller that goes away then must not leave a record that stays live.
fn note_ended(ctx: &Ctx, sessions: &[Session]) {
    let now = ctx.now();
    for session in sessions {
        ctx.store.memory.keep_ended(session.id, now);
    }
    ctx.store.memory.keep_pending(&ids(sessions));
}

/// Sets the bits and writes the tombstones of sessions that were noted as ended.
async fn settle(ctx: &Ctx, sessions: &[Session], clients: &BatchClients) -> Applied {
    let (ids, now) = (ids(sessions), ctx.now());
    let indexes: Vec<_> = sessions.iter().map(|session| index_of(session, now)).collect();
    status_indexes::revoke_of(ctx, &indexes, clients);
    let longest = sessions.iter().map(|session| session.ends_at.since(now)).max().unwrap_or_default();
    match ctx.store.ephemeral.end(&ids, tombstone_lifetime(ctx, sessions, clients, longest)).await {
        Ok(()) => {
            ctx.store.memory.forget_pending(&ids);
            Applied::Everywhere
        }
        Err(error) => {
            tracing::warn!(error = %error, sessions = ids.len(), "tombstones are pending");
            Applied::Pending
        }
    }
}

fn ids(sessions: &[Session]) -> Vec<SessionId> {
    sessions.iter().map(|session| session.id).collect()
}

/// The status index of the session's access tokens, and since when they are revoked.
fn index_of(session: &Session, now: Timestamp) -> (ClientStatusIndex, Timestamp) {
    let index = ClientStatusIndex { client_id: session.client_id.clone(), status_index: session.status_index };
    (index, session.ended.map_or(now, |ended| ended.at))
}

/// As long as a token of these sessions can live: a refresh lifetime, or for fixed tokens until the session's own end.
fn tombstone_lifetime(ctx: &Ctx, sessions: &[Session], clients: &BatchClients, longest: Duration) -> Duration {
    let usual = ctx.config.longest_refresh_lifetime();
    // What could not be looked up may be fixed.
    let rotates =
        |session: &Session| clients.get(&session.client_id).is_some_and(|client| !client.metadata.refresh.fixed);
    if sessions.iter().all(rotates) { usual } else { longest.max(usual) }
}

/// One part of a filter has a `not_before` of its own; a browser session has its row instead, which lets no session
/// begin once it is over. Several parts together have none: the `not_before` would end more than was asked for.
async fn raise_not_before(ctx: &Ctx, filter: &SessionFilter, at: Timestamp) -> Result<(), Error> {
    let mark = filter.issued_before.unwrap_or(at);
    if filter.browser_session.is_some() {
        return Ok(());
    }
    match (&filter.session, &filter.user, &filter.client) {
        (None, Some(user), None) => {
            ctx.store.database.raise_user_not_before(*user, mark).await?;
        }
        (None, None, Some(client)) => {
            let client_tokens = status_indexes::client_tokens_before(ctx, mark, Some(client)).await;
            ctx.store.database.raise_client_not_before(client, mark, at, client_tokens).await?;
            status_indexes::revoke_known(ctx).await?;
        }
        (None, None, None) => {
            let client_tokens = status_indexes::client_tokens_before(ctx, mark, None).await;
            ctx.store.database.raise_global_not_before(mark, at, client_tokens).await?;
            status_indexes::revoke_known(ctx).await?;
        }
        (Some(_), _, _) | (None, Some(_), Some(_)) => {}
    }
    Ok(())
}

/// Adds a batch, which ended at `at`, to the receipt.
fn count(ctx: &Ctx, receipt: &mut Receipt, batch: &[Session], clients: &BatchClients, at: Timestamp) {
    for session in batch {
        receipt.sessions_ended += 1;
        receipt.access_tokens_refused += 1;
        let by = status_indexes::tokens_expire_by(ctx, session, clients, at);
        receipt.access_tokens_expire_by = receipt.access_tokens_expire_by.max(by);
    }
}
