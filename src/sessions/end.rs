//! How sessions end: the ledger's row first, then a tombstone in the hot state, then the answer.
//!
//! Once the row is written the end cannot be undone. A tombstone that cannot be written now is kept as pending, this
//! instance refuses the session from memory, the others learn of it from the change feed, and background work writes
//! the tombstone as soon as the hot state answers.

use serde::Serialize;

use crate::audit::{Actor, AuditEntry, AuditEvent};
use crate::clock::Timestamp;
use crate::ctx::Ctx;
use crate::model::{EndReason, Ended, Session, SessionFilter, SessionId};
use crate::protocol::OAuthError;
use crate::store::ledger::sessions::EndOutcome;

/// How many sessions are ended in one transaction.
const BATCH: u32 = 500;

/// How far an end has come when it is acknowledged. Of several ends, the last to come counts: the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Applied {
    /// In the ledger and in the hot state: no instance renews the session any more.
    Everywhere,
    /// In the ledger; the hot state does not answer. Instances refuse the session as soon as they read the change feed
    /// (a second at most).
    Pending,
}

/// What ending all that match has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Receipt {
    /// Sessions that this call ended.
    pub sessions_ended: u64,
    /// Sessions whose access tokens are refused by introspection from now on; offline verifiers may accept them until
    /// `access_tokens_expire_by`.
    pub access_tokens_refused: u64,
    /// When the last access token of these sessions expires.
    pub access_tokens_expire_by: Timestamp,
    /// How far the ends have come.
    pub applied: Applied,
}

/// Ends one session. `None`: there is no such session.
///
/// # Errors
/// [`OAuthError::Unavailable`] when the ledger does not answer: then nothing has ended.
pub async fn end_one(
    ctx: &Ctx,
    session: SessionId,
    reason: EndReason,
    actor: Actor,
) -> Result<Option<Applied>, OAuthError> {
    let Some(row) = ctx.store.ledger.session(session).await? else { return Ok(None) };
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
) -> Result<Option<Applied>, OAuthError> {
    let ended = Ended { at: ctx.now(), reason };
    match ctx.store.ledger.end_session(session, ended, &entry).await? {
        EndOutcome::Absent => Ok(None),
        EndOutcome::Ended(_) | EndOutcome::EndedBefore(_) => Ok(Some(bury(ctx, &[session]).await)),
    }
}

/// Ends every live session that matches. The watermark of the user, the client or the house rises first, so that a
/// sign-in that is under way is covered too.
///
/// # Errors
/// `invalid_request` for a moment that lies ahead; [`OAuthError::Unavailable`] when the ledger does not answer: sessions
/// that were ended before that stay ended, and calling again goes on.
pub async fn end_matching(
    ctx: &Ctx,
    filter: &SessionFilter,
    reason: EndReason,
    actor: Actor,
) -> Result<Receipt, OAuthError> {
    let at = ctx.now();
    if filter.issued_before.is_some_and(|moment| moment > at) {
        return Err(OAuthError::invalid_request("issued_before lies ahead"));
    }
    raise_watermark(ctx, filter, at).await?;
    let filter = SessionFilter { live_only: true, ..filter.clone() };
    let mut receipt = Receipt {
        sessions_ended: 0,
        access_tokens_refused: 0,
        access_tokens_expire_by: at,
        applied: Applied::Everywhere,
    };
    loop {
        let batch = ctx.store.ledger.end_sessions(&filter, Ended { at, reason }, BATCH).await?;
        if batch.is_empty() {
            break;
        }
        let ids: Vec<SessionId> = batch.iter().map(|session| session.id).collect();
        receipt.applied = receipt.applied.max(bury(ctx, &ids).await);
        count(ctx, &mut receipt, &batch, at).await?;
    }
    let count = receipt.sessions_ended;
    let event = AuditEvent::SessionsRevoked { user: filter.user, client: filter.client.clone(), count, reason };
    ctx.store.ledger.record(&ctx.audit(actor, event)).await?;
    Ok(receipt)
}

/// Writes tombstones, or remembers that they are still to be written.
pub async fn bury(ctx: &Ctx, sessions: &[SessionId]) -> Applied {
    let now = ctx.now();
    for session in sessions {
        ctx.store.memory.keep_ended(*session, now);
    }
    match ctx.store.hot.end(sessions, ctx.config.longest_refresh_lifetime()).await {
        Ok(()) => {
            ctx.store.memory.forget_pending(sessions);
            Applied::Everywhere
        }
        Err(error) => {
            tracing::warn!(error = %error, sessions = sessions.len(), "tombstones are pending");
            ctx.store.memory.keep_pending(sessions);
            Applied::Pending
        }
    }
}

/// One part of a filter has a watermark of its own. Several parts together have none: the watermark would end more than
/// was asked for.
async fn raise_watermark(ctx: &Ctx, filter: &SessionFilter, at: Timestamp) -> Result<(), OAuthError> {
    let at = filter.issued_before.unwrap_or(at);
    match (&filter.session, &filter.user, &filter.client) {
        (None, Some(user), None) => {
            ctx.store.ledger.raise_user_watermark(*user, at).await?;
        }
        (None, None, Some(client)) => {
            ctx.store.ledger.raise_client_watermark(client, at).await?;
            ctx.store.memory.forget_client(client);
        }
        (None, None, None) => {
            ctx.store.ledger.raise_global_watermark(at).await?;
            ctx.store.memory.raise_global_watermark(at);
        }
        (Some(_), _, _) | (None, Some(_), Some(_)) => {}
    }
    Ok(())
}

/// Adds a batch to the receipt.
async fn count(ctx: &Ctx, receipt: &mut Receipt, batch: &[Session], at: Timestamp) -> Result<(), OAuthError> {
    for session in batch {
        let client = ctx.store.client(&session.client_id).await?;
        let own = client.and_then(|client| client.access_lifetime);
        let lifetime = own.unwrap_or(ctx.config.tokens.access_lifetime.get());
        receipt.sessions_ended += 1;
        receipt.access_tokens_refused += 1;
        receipt.access_tokens_expire_by = receipt.access_tokens_expire_by.max(at.plus(lifetime));
    }
    Ok(())
}
