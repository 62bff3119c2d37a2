//! How a session begins.

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

/// What is decided when a user has signed in and the gate is open.
#[derive(Debug)]
pub struct NewSession<'a> {
    /// Its identifier, which nobody had before.
    pub id: SessionId,
    /// Its status index in the status lists, which nobody had before.
    pub status_index: i64,
    /// Who signed in, as the database knew the user when the attempt began.
    pub user: &'a User,
    /// When the attempt began, or the code was issued.
    pub at: Timestamp,
    /// For which application.
    pub client: &'a Client,
    /// What was granted.
    pub scope: Scope,
    /// `aud` of the access tokens.
    pub audience: Vec<String>,
    /// Where from.
    pub user_agent: UserAgent,
    /// How the user proved who they are.
    pub proof: Proof,
    /// The browser session under which it begins.
    pub browser_session: Option<ParentBrowserSession>,
    /// Claims for userinfo that were asked for by name.
    pub claims: Vec<String>,
    /// The key that its tokens are bound to, where they are.
    pub confirmation: Option<Confirmation>,
}

/// How a user proved who they are.
#[derive(Debug, Clone)]
pub struct Proof {
    /// When (`auth_time`).
    pub at: Timestamp,
    /// By what (`amr`, RFC 8176).
    pub amr: Vec<String>,
    /// How well (`acr`).
    pub acr: Acr,
}

/// The browser session under which a session begins.
#[derive(Debug, Clone, Copy)]
pub struct ParentBrowserSession {
    /// Which.
    pub browser_session: BrowserSessionId,
    /// The session ends with it, unless it is to outlive it.
    pub ends_at: Timestamp,
}

/// What became of a beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettleOutcome {
    /// The session is on record.
    BeginOutcome,
    /// The user, the client, the browser session or a `not_before` changed meanwhile.
    Refused,
    /// A session of this identifier has begun before.
    BegunBefore,
}

/// A session that nobody has been told of yet.
#[derive(Debug)]
pub struct PreparedSession {
    /// The database's row.
    pub session: Session,
    /// The same with the ephemeral store's record.
    pub live: LiveSession,
    /// User and client as the attempt has read them. Where the `not_before` has risen since, by whosever clock, or one
    /// of the two has other rights by now, the session is refused.
    seen: Snapshot,
}

/// Draws up a session that begins now. Nothing is written.
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

/// Writes the beginning: the record first (an orphan record is a token that nobody holds), then the database's row,
/// which a concurrent disable, removal or `not_before` either stops or sees.
///
/// # Errors
/// [`Error::Unavailable`] when a store does not answer, and then no session has begun.
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
        Ok(BeginOutcome::Begun) => Ok(SettleOutcome::BeginOutcome),
        Ok(BeginOutcome::Refused) => Ok(SettleOutcome::Refused),
        Err(StoreError::Conflict(UniqueKey::SessionId)) => Ok(SettleOutcome::BegunBefore),
        Err(error) => Err(error.into()),
    }
}

/// A record is there already. Where its session has begun, it stays; where an earlier try has left it, which may have
/// known other rights of the user, this one replaces it. Says which.
async fn take_over(ctx: &Ctx, beginning: &PreparedSession) -> Result<bool, Error> {
    let id = beginning.session.id;
    // Before the database is asked: what comes to be there meanwhile is not replaced.
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

/// How long a refresh token of the client lives; a fixed one as long as its session.
#[must_use]
pub fn refresh_lifetime(ctx: &Ctx, client: &Client, absolute: Duration) -> Duration {
    if client.metadata.refresh.fixed {
        return absolute;
    }
    client.metadata.refresh_token_lifetime.unwrap_or(ctx.config.tokens.refresh_lifetime.get())
}
