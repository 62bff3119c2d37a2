//! Ends sessions durably: the row in the database first, then a tombstone in the ephemeral store, then the answer.
//!
//! Every end takes the same steps, whatever caused it:
//!
//! 1. one database transaction writes the session's row, the row of the change feed and the audit entry;
//! 2. this instance's memory and status lists learn of the end;
//! 3. a tombstone is written to the ephemeral store; it lives as long as a refresh token of the session can;
//! 4. the caller gets the answer.
//!
//! Once the row is committed, the end cannot be undone. Ends by user, by client or of the whole deployment raise
//! `not_before` first and then go in batches of 500. A sign-in that is under way is covered too: its session carries
//! the time at which the attempt began, and the database refuses it where the user's `not_before` is not the value that
//! the attempt has read, whichever instance's clock raised it. A filter with several parts raises no `not_before`,
//! because that would end more than was asked for.
//!
//! # When a store fails
//!
//! - **The ephemeral store does not answer.** The row stays, and the feed follower writes the tombstone later (it tries
//!   every second). The answer says so: 202 with `"applied":"pending"` from the admin API, 503 with `Retry-After` from
//!   `/oauth2/revoke` and `blacklist`. The other instances learn of the end from the change feed, and each writes the
//!   tombstone as well, so that an instance may die between the row and the tombstone. The embedded ephemeral store
//!   reads the session's row itself.
//! - **Redis may have lost writes** (a new connection, another `run_id` or `master_replid`). Every operation on a
//!   rotation record answers 503 until all recent ends have been written again. The same happens at each instance's
//!   start.
//! - **A record is rebuilt** from the database only where its key is empty; a tombstone counts as a value. The database
//!   is read once more afterwards.
//!
//! # What remains
//!
//! - A Redis that is exchanged behind a proxy while the connection stays open is noticed at the next check, about a
//!   second later.
//! - A service that verifies offline and reads no status list accepts an access token until it expires.
//! - A database restored from a backup knows nothing of later ends. `docs/operations.md` describes the fence.
//! - A user's `not_before` is compared with the time at which a browser session began, and two instances take these
//!   times from their own clocks. Where the clocks are seconds apart, a browser session of those seconds survives a new
//!   password. Its sessions begin only while the user's row is as it was read.

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

/// The number of sessions that one transaction ends.
const BATCH: u32 = 500;

/// How far an end has been applied when it is acknowledged. The greatest value applies to several ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Applied {
    /// Database and ephemeral store: no instance refreshes the session any more.
    Everywhere,
    /// The database only, because the ephemeral store does not answer. Each instance refuses the session once it has
    /// read the change feed (within a second).
    Pending,
}

/// The result of an end by filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Receipt {
    pub sessions_ended: u64,
    /// Sessions whose access tokens introspection refuses from now on; equal to `sessions_ended`.
    pub access_tokens_refused: u64,
    /// By when verifiers that follow the status lists refuse the access tokens. A verifier that reads no list may
    /// accept them until `access_tokens_expire_by`. A verifier that is cut off accepts them for at most a minute, until
    /// its lists have expired.
    pub offline_refused_by: Timestamp,
    /// An upper bound for the expiry of the last access token of these sessions, by the longest lifetime that their
    /// client or the server has had recently.
    pub access_tokens_expire_by: Timestamp,
    /// Back-channel logouts that were queued, one for each session.
    pub backchannel_logouts: u64,
    pub applied: Applied,
}

/// Ends one session. `None`: there is no such session.
///
/// # Errors
/// [`Error::Unavailable`] when the database does not answer; then nothing has ended.
pub async fn end_one(ctx: &Ctx, session: SessionId, reason: EndReason, actor: Actor) -> Result<Option<Applied>, Error> {
    let Some(row) = ctx.store.database.session(session).await? else { return Ok(None) };
    let event = AuditEvent::SessionEnded { session, user: row.user_id, client: row.client_id, reason };
    end_one_as(ctx, session, reason, ctx.audit(actor, event)).await
}

/// Ends one session with the caller's audit entry, which is written only if this call ended it.
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

/// Ends, one at a time, the live sessions of `filter` for which `is_over` holds.
/// After an error, a repeated call continues.
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
/// `invalid_request` for an `issued_before` in the future. [`Error::Unavailable`] when the database does not answer:
/// the sessions that were ended so far stay ended, and a repeated call continues.
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
        // Each batch has its own time of end: until then its sessions could be refreshed.
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
        // The `not_before` has risen even though no session ended.
        ctx.store.database.record(&entry(0)).await?;
    }
    receipt.offline_refused_by = ctx.now().plus(REFUSED_WITHIN);
    Ok(receipt)
}

/// Sets the status bits of sessions that have ended in the database and writes their tombstones, or notes them as
/// pending.
pub async fn write_tombstones(ctx: &Ctx, sessions: &[Session]) -> Applied {
    note_ended(ctx, sessions);
    settle(ctx, sessions, &BatchClients::of(ctx, sessions).await).await
}

/// Makes this instance refuse the sessions and notes their tombstones as pending. The commit of an end has already done
/// both, except for sessions that another instance ended. This runs before the first await, so that a caller that is
/// cancelled does not leave a record that stays live.
fn note_ended(ctx: &Ctx, sessions: &[Session]) {
    let now = ctx.now();
    for session in sessions {
        ctx.store.memory.keep_ended(session.id, now);
    }
    ctx.store.memory.keep_pending(&ids(sessions));
}

/// Sets the status bits and writes the tombstones of sessions that are noted as ended.
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

/// Returns the status index of the session's access tokens and the time of their revocation.
fn index_of(session: &Session, now: Timestamp) -> (ClientStatusIndex, Timestamp) {
    let index = ClientStatusIndex { client_id: session.client_id.clone(), status_index: session.status_index };
    (index, session.ended.map_or(now, |ended| ended.at))
}

/// Returns the longest time for which a token of these sessions can live: the longest refresh lifetime, or for fixed
/// tokens the time until the session's absolute end.
fn tombstone_lifetime(ctx: &Ctx, sessions: &[Session], clients: &BatchClients, longest: Duration) -> Duration {
    let usual = ctx.config.longest_refresh_lifetime();
    // A client that could not be loaded may have fixed tokens.
    let rotates =
        |session: &Session| clients.get(&session.client_id).is_some_and(|client| !client.metadata.refresh.fixed);
    if sessions.iter().all(rotates) { usual } else { longest.max(usual) }
}

/// Raises the `not_before` of a filter with one part. A browser session needs none: once its row has ended, no session
/// begins under it. Several parts together raise none, because that would end more than was asked for.
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

fn count(ctx: &Ctx, receipt: &mut Receipt, batch: &[Session], clients: &BatchClients, at: Timestamp) {
    for session in batch {
        receipt.sessions_ended += 1;
        receipt.access_tokens_refused += 1;
        let by = status_indexes::tokens_expire_by(ctx, session, clients, at);
        receipt.access_tokens_expire_by = receipt.access_tokens_expire_by.max(by);
    }
}
