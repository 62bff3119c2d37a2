//! Begins sessions: builds a session, then writes its rotation record and its row.

use std::time::Duration;

use crate::audit::{Actor, AuditEvent};
use crate::clock::Timestamp;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{
    Acr, BrowserSessionId, Client, Confirmation, LiveSession, RotationRecord, RotationState, Session, SessionGrant,
    SessionId, User, UserAgent,
};
use crate::protocol::{Scope, scope};
use crate::store::sql::admission::{BeginOutcome, Snapshot};
use crate::store::{StoreError, UniqueKey};

/// The input of a new session, once the user is authenticated and the gate has admitted the request.
#[derive(Debug)]
pub struct NewSession<'a> {
    pub id: SessionId,
    pub status_index: i64,
    /// The user as the database had it when the attempt began.
    pub user: &'a User,
    /// When the attempt began or the code was issued.
    pub at: Timestamp,
    pub client: &'a Client,
    pub scope: Scope,
    pub audience: Vec<String>,
    pub user_agent: UserAgent,
    pub proof: Proof,
    pub browser_session: Option<ParentBrowserSession>,
    /// Userinfo claims that the client requested by name.
    pub claims: Vec<String>,
    /// The key that its tokens are bound to, if any.
    pub confirmation: Option<Confirmation>,
}

/// How a user proved who they are.
#[derive(Debug, Clone)]
pub struct Proof {
    /// `auth_time`.
    pub at: Timestamp,
    /// `amr` (RFC 8176).
    pub amr: Vec<String>,
    pub acr: Acr,
}

#[derive(Debug, Clone, Copy)]
pub struct ParentBrowserSession {
    pub browser_session: BrowserSessionId,
    /// The session ends no later than this, unless it was granted `offline_access`.
    pub ends_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettleOutcome {
    /// The session's row is written.
    Begun,
    /// The user, the client, the browser session or a `not_before` has changed since the attempt began.
    Refused,
    /// A session with this identifier already exists.
    BegunBefore,
}

/// A session that is built but not yet written.
#[derive(Debug)]
pub struct PreparedSession {
    pub session: Session,
    pub live: LiveSession,
    /// User and client as the attempt read them. The database refuses the session if a `not_before` has risen since,
    /// whichever instance's clock raised it, or if the rights of user or client have changed.
    seen: Snapshot,
}

/// Builds a session that begins now. Nothing is written.
#[must_use]
pub fn begin(ctx: &Ctx, new: NewSession<'_>) -> PreparedSession {
    let now = ctx.now();
    let absolute = ctx.config.sessions.absolute_lifetime.get();
    let offline = new.scope.contains(scope::OFFLINE_ACCESS);
    let longest = new.at.plus(absolute);
    let ends_at = match &new.browser_session {
        Some(under) if !offline => longest.min(under.ends_at),
        _ => longest,
    };
    let ends_at = Timestamp::from_seconds(ends_at.seconds());
    let session = Session {
        id: new.id,
        user_id: new.user.id,
        client_id: new.client.id.clone(),
        scope: new.scope,
        audience: new.audience,
        status_index: new.status_index,
        user_agent: new.user_agent,
        created_at: new.at,
        last_used_at: new.at,
        ends_at,
        auth_time: new.proof.at,
        amr: new.proof.amr,
        acr: new.proof.acr,
        browser_session_id: new.browser_session.map(|under| under.browser_session),
        claims: new.claims,
        confirmation: new.confirmation,
        ended: None,
    };
    let grant = SessionGrant::of(&session, new.user);
    let record = RotationRecord::begin(grant, now, refresh_lifetime(ctx, new.client, absolute), ends_at);
    let seen = Snapshot { user: new.user.clone(), audience: new.client.metadata.audience.clone() };
    PreparedSession { live: LiveSession { id: session.id, record }, session, seen }
}

/// Writes the rotation record, then the database row. A record without a row is harmless: no client holds its token. A
/// concurrent disable, removal or `not_before` either makes the database refuse the row or finds it.
///
/// # Errors
/// [`Error::Unavailable`] when a store does not answer; then no session has begun.
pub async fn settle(ctx: &Ctx, beginning: &PreparedSession) -> Result<SettleOutcome, Error> {
    let session = &beginning.session;
    let entry = ctx.audit(
        Actor::User(session.user_id),
        AuditEvent::SessionBegan { session: session.id, user: session.user_id, client: session.client_id.clone() },
    );
    if !ctx.store.ephemeral.insert(session.id, &beginning.live.record).await? && !take_over(ctx, beginning).await? {
        return Ok(SettleOutcome::BegunBefore);
    }
    match ctx.store.database.begin_session(session, &beginning.seen, &entry).await {
        Ok(BeginOutcome::Begun) => Ok(SettleOutcome::Begun),
        Ok(BeginOutcome::Refused) => Ok(SettleOutcome::Refused),
        Err(StoreError::Conflict(UniqueKey::SessionId)) => Ok(SettleOutcome::BegunBefore),
        Err(error) => Err(error.into()),
    }
}

/// Replaces the record that an earlier try left without a row, because it may carry outdated rights of the user.
/// `false`: it stays, because its session has begun or ended.
async fn take_over(ctx: &Ctx, beginning: &PreparedSession) -> Result<bool, Error> {
    let id = beginning.session.id;
    // Loaded before the database is read, so that a record that appears in between is not replaced.
    let (left, _) = ctx.store.ephemeral.load(id).await?;
    if ctx.store.database.session(id).await?.is_some() {
        return Ok(false);
    }
    match left {
        RotationState::Live(left) => Ok(ctx.store.ephemeral.replace(id, &left, &beginning.live.record).await?),
        RotationState::Absent => Ok(ctx.store.ephemeral.insert(id, &beginning.live.record).await?),
        RotationState::Ended => Ok(false),
    }
}

/// Returns the lifetime of the client's refresh tokens. A fixed token lives as long as its session.
#[must_use]
pub fn refresh_lifetime(ctx: &Ctx, client: &Client, absolute: Duration) -> Duration {
    if client.metadata.refresh.fixed {
        return absolute;
    }
    client.metadata.refresh_token_lifetime.unwrap_or(ctx.config.tokens.refresh_lifetime.get())
}
