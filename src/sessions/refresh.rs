//! Settles what `rotation` decides: one round trip to the ephemeral store in the common case, two in the rare ones.

use std::time::Duration;

use crate::audit::{Actor, AuditEvent};
use crate::clock::Stopwatch;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::gate::{self, Principal};
use crate::model::{
    Client, EndReason, LiveSession, RepeatedRefresh, RotationRecord, RotationState, Session, SessionGrant, SessionId,
    UserId,
};
use crate::tokens::RefreshToken;

use super::begin::refresh_lifetime;
use super::end;
use super::refresh_claims::refresh_one;
use super::rotation::{self, Decision, PresentedRefresh, Rules, Why};

/// Under contention each round has one winner, and each loser then finds a record that it can keep. More rounds than
/// this mean a fault.
const MAX_ROUNDS: u32 = 16;

/// A slower rotation reads the record again before it answers: the instance may have been suspended (SIGSTOP, a frozen
/// virtual machine) while another instance ended the session.
const PROMPT: Duration = Duration::from_millis(500);

/// The number of consecutive repeated generations from which on each one is reported.
const REPEATS_REPORTED: u32 = 3;

/// Exchanges `token` of `client` and returns the session, whose current token is the answer.
///
/// # Errors
/// `invalid_grant` when the session is over or the token was used before (which ends the session).
/// [`Error::Unavailable`] when the ephemeral store, or the database for a lost record, does not answer; then nothing
/// was consumed, or a retry repairs it.
pub async fn rotate(ctx: &Ctx, client: &Client, token: &RefreshToken) -> Result<LiveSession, Error> {
    let watch = Stopwatch::start();
    let record = settle(ctx, client, token).await?;
    if watch.elapsed() > PROMPT && ctx.store.ephemeral.load(token.session).await?.0 == RotationState::Ended {
        return Err(over());
    }
    refuse_known_end(ctx, token.session)?;
    ctx.store.memory.note_use(token.session, ctx.now());
    Ok(LiveSession { id: token.session, record })
}

async fn settle(ctx: &Ctx, client: &Client, token: &RefreshToken) -> Result<RotationRecord, Error> {
    refuse_known_end(ctx, token.session)?;
    let rules = rules_of(ctx, client);
    let (mut known, mut now) = if rules.fixed {
        ctx.store.ephemeral.load(token.session).await?
    } else {
        let advance = ctx.store.ephemeral.advance(token.session, token.generation).await?;
        match advance.session {
            RotationState::Live(record) if advance.advanced => return Ok(*record),
            other => (other, advance.now),
        }
    };
    for _ in 0..MAX_ROUNDS {
        match known {
            RotationState::Ended => return Err(over()),
            RotationState::Absent => rebuild(ctx, client, token).await?,
            RotationState::Live(record) => match rotation::decide(&record, presented(token), rules, now) {
                Decision::Keep => return Ok(*record),
                Decision::Over => return Err(over()),
                Decision::Reuse => return Err(reuse(ctx, token, record.grant.user_id).await?),
                Decision::Step(next, why) => {
                    if ctx.store.ephemeral.replace(token.session, &record, &next).await? {
                        report(ctx, client, token, next.grant.user_id, why).await?;
                        return Ok(*next);
                    }
                }
            },
        }
        (known, now) = ctx.store.ephemeral.load(token.session).await?;
    }
    Err(Error::unavailable("a rotation record that changes without end"))
}

/// Returns what a refresh with this token would grant, without a change of state. `None`: it would be refused.
pub async fn peek(ctx: &Ctx, client: &Client, token: &RefreshToken) -> Result<Option<SessionGrant>, Error> {
    if ctx.store.memory.has_ended(token.session) {
        return Ok(None);
    }
    let (known, now) = ctx.store.ephemeral.load(token.session).await?;
    match known {
        RotationState::Ended => Ok(None),
        RotationState::Absent => Ok(recorded(ctx, client, token).await?.map(|session| session.1)),
        RotationState::Live(record) => match rotation::decide(&record, presented(token), rules_of(ctx, client), now) {
            Decision::Keep | Decision::Step(..) => Ok(Some(record.grant)),
            Decision::Reuse | Decision::Over => Ok(None),
        },
    }
}

fn refuse_known_end(ctx: &Ctx, session: SessionId) -> Result<(), Error> {
    if ctx.store.memory.has_ended(session) { Err(over()) } else { Ok(()) }
}

fn over() -> Error {
    Error::invalid_grant("the session is over")
}

fn presented(token: &RefreshToken) -> PresentedRefresh {
    PresentedRefresh {
        generation: token.generation,
        parent_branch: token.parent_branch,
        issued_at: token.issued_at,
        expires_at: token.expires_at,
    }
}

/// Returns the client's own rules, with the server's as defaults.
#[must_use]
pub fn rules_of(ctx: &Ctx, client: &Client) -> Rules {
    let defaults = &ctx.config.refresh;
    Rules {
        retry_window: client.metadata.refresh.retry_window.unwrap_or(defaults.retry_window.get()),
        lost_response_window: client
            .metadata
            .refresh
            .lost_response_window
            .or(defaults.lost_response_window.map(crate::config::Duration::get)),
        fixed: client.metadata.refresh.fixed,
    }
}

/// Rebuilds a lost record at the presented token, unless the database says that the session is over.
///
/// The database is read again after the record is written. An end that was acknowledged in between has written either
/// its tombstone first, so that nothing was inserted, or its row, which the second read finds. A change of roles is
/// found in the same way.
async fn rebuild(ctx: &Ctx, client: &Client, token: &RefreshToken) -> Result<(), Error> {
    let (session, grant) = recorded(ctx, client, token).await?.ok_or_else(over)?;
    let lifetime = refresh_lifetime(ctx, client, session.ends_at.since(token.issued_at));
    let first = RotationRecord::begin(grant, token.issued_at, lifetime, session.ends_at);
    let record = rotation::brought_to(&first, presented(token));
    ctx.store.ephemeral.insert(session.id, &record).await?;
    let again = ctx.store.database.session(session.id).await?;
    if again.is_none_or(|session| session.ended.is_some()) {
        end::write_tombstones(ctx, &[session]).await;
        return Err(over());
    }
    // A concurrent change of the user's rights did not find this record, because it was missing.
    refresh_one(ctx, session.id, session.user_id).await?;
    tracing::info!(session.id = %token.session, "a lost rotation record was rebuilt from the database");
    Ok(())
}

/// Loads the session of a token whose record is lost, and its grant, if database and gate say that it is live.
async fn recorded(ctx: &Ctx, client: &Client, token: &RefreshToken) -> Result<Option<(Session, SessionGrant)>, Error> {
    let Some(session) = ctx.store.database.session(token.session).await? else { return Ok(None) };
    let Some(user) = ctx.store.database.user(session.user_id).await? else { return Ok(None) };
    let asked = gate::GateRequest {
        scope: &session.scope,
        audience: &session.audience,
        allowed_audience: &session.audience,
        global_not_before: ctx.store.database.global_not_before().await?,
        now: ctx.now(),
    };
    let principal = Principal::SessionRow { session: &session, user: Some(&user) };
    if session.client_id != client.id || gate::decide(client, principal, asked).is_err() {
        return Ok(None);
    }
    let grant = SessionGrant::of(&session, &user);
    Ok(Some((session, grant)))
}

/// Ends the session, because two parties hold its tokens. Returns the client's error.
async fn reuse(ctx: &Ctx, token: &RefreshToken, user: UserId) -> Result<Error, Error> {
    let event = AuditEvent::RefreshReused {
        session: token.session,
        user,
        client: token.client_id.clone(),
        generation: token.generation.number,
    };
    end::end_one_as(ctx, token.session, EndReason::Reuse, ctx.audit(Actor::System, event)).await?;
    tracing::warn!(session.id = %token.session, client.id = %token.client_id, "a used refresh token came back");
    Ok(Error::invalid_grant("the refresh token was used before; the session has been ended"))
}

/// Writes an audit event for an unusual step.
async fn report(ctx: &Ctx, client: &Client, token: &RefreshToken, user: UserId, why: Why) -> Result<(), Error> {
    match why {
        Why::Rotated | Why::Reissued => Ok(()),
        Why::RolledForward => {
            let (session, client) = (token.session, token.client_id.clone());
            note(ctx, AuditEvent::RefreshRolledForward { session, client, generation: token.generation.number }).await;
            Ok(())
        }
        Why::Repeated { streak } if streak < REPEATS_REPORTED => Ok(()),
        Why::Repeated { .. } => repeated(ctx, client, token, user).await,
    }
}

async fn repeated(ctx: &Ctx, client: &Client, token: &RefreshToken, user: UserId) -> Result<(), Error> {
    let event = AuditEvent::RefreshRepeated {
        session: token.session,
        user,
        client: token.client_id.clone(),
        generation: token.generation.number,
    };
    note(ctx, event).await;
    match client.metadata.refresh.on_repeated {
        RepeatedRefresh::Report => Ok(()),
        RepeatedRefresh::EndSession => {
            end::end_one(ctx, token.session, EndReason::Repeated, Actor::System).await?;
            Err(Error::invalid_grant("the session's tokens are used by two parties; it has been ended"))
        }
    }
}

/// An honest refresh must not fail because the database is down; the log then carries the event.
async fn note(ctx: &Ctx, event: AuditEvent) {
    let entry = ctx.audit(Actor::System, event);
    tracing::warn!(event = ?entry.event, "unusual refresh");
    if let Err(error) = ctx.store.database.record(&entry).await {
        tracing::error!(error = %error, "the audit entry could not be written");
    }
}
