//! The gate: may this client, user and session receive tokens (or be believed by those they hold)?
//!
//! Every grant passes it before it mints, and introspection before it says `active`. A check that is added here holds
//! on every path; a check that is added anywhere else has siblings that lack it. [`decide`] is the pure decision,
//! [`check`] gathers what it needs from the context, and [`audience`] says whom tokens are for.

pub mod audience;

use crate::clock::Timestamp;
use crate::ctx::Ctx;
use crate::model::{BrowserSession, Client, ClientState, Session, SessionGrant, User, UserState};
use crate::protocol::Scope;

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub enum Principal<'a> {
    /// A client for itself, with tokens that were issued at this moment.
    Client {
        /// When the token was issued; now, for a new one.
        issued_at: Timestamp,
    },
    /// A user who is signing in.
    SigningIn {
        /// As the database knew the user when the attempt began.
        user: &'a User,
        /// When the attempt began.
        at: Timestamp,
    },
    /// A user who is signed in in a browser in which an application asks for a code.
    BrowserSession {
        /// As this instance knows the user.
        user: &'a User,
        /// The browser session.
        browser_session: &'a BrowserSession,
    },
    /// A live rotation record. That it is live vouches for the user: disabling or removing a user, changing a password
    /// and raising a `not_before` all end the record before they are acknowledged.
    RotationRecord {
        /// What the record says.
        grant: &'a SessionGrant,
        /// The session's absolute end.
        ends_at: Timestamp,
    },
    /// A session from the database, whose record is lost, and its user as the database knows them.
    SessionRow {
        /// The row.
        session: &'a Session,
        /// The user, if there is one.
        user: Option<&'a User>,
    },
}

/// What the gate looks at besides the client and the principal.
#[derive(Debug, Clone, Copy)]
pub struct GateRequest<'a> {
    /// What the tokens are good for.
    pub scope: &'a Scope,
    /// Whom they are for.
    pub audience: &'a [String],
    /// Whom the client's tokens may be for now.
    pub allowed_audience: &'a [String],
    /// Everything that began before this is over.
    pub global_not_before: Timestamp,
    /// The time.
    pub now: Timestamp,
}

/// Why the gate stays shut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// The client may obtain nothing.
    ClientDisabled,
    /// Tokens of the client that began then are over.
    ClientNotBefore,
    /// Tokens of anybody that began then are over.
    GlobalNotBefore,
    /// There is no such user any more.
    UserAbsent,
    /// The user may not sign in.
    UserDisabled,
    /// Tokens of the user that began then are over.
    UserNotBefore,
    /// The session or the browser session was ended.
    SessionEnded,
    /// The session or the browser session has reached its absolute end.
    SessionOver,
    /// The client may no longer be granted this scope.
    ScopeWithdrawn,
    /// The client's tokens may no longer be for this audience.
    AudienceWithdrawn,
}

/// Whether the gate opens to this principal for tokens of the client now, by what this instance remembers.
///
/// # Errors
/// Why it stays shut.
pub fn check(
    ctx: &Ctx,
    client: &Client,
    principal: Principal<'_>,
    scope: &Scope,
    audience: &[String],
) -> Result<(), Denial> {
    let request = GateRequest {
        scope,
        audience,
        allowed_audience: &audience::allowed(ctx, client),
        global_not_before: ctx.store.memory.global_not_before(),
        now: ctx.now(),
    };
    decide(client, principal, request)
}

/// Decides whether the gate opens; a pure function.
///
/// # Errors
/// Why it stays shut.
pub fn decide(client: &Client, principal: Principal<'_>, request: GateRequest<'_>) -> Result<(), Denial> {
    if client.state != ClientState::Active {
        return Err(Denial::ClientDisabled);
    }
    if began_at_client(principal, request.now) < client.not_before {
        return Err(Denial::ClientNotBefore);
    }
    if began_at(principal) < request.global_not_before {
        return Err(Denial::GlobalNotBefore);
    }
    check_principal(principal, request.now)?;
    if request.scope.concerns_this_server() && user_of(principal).is_some_and(|user| !user.admin) {
        return Err(Denial::ScopeWithdrawn);
    }
    if !request.scope.is_within(&client.metadata.scope) {
        return Err(Denial::ScopeWithdrawn);
    }
    if !request.audience.iter().all(|audience| request.allowed_audience.contains(audience)) {
        return Err(Denial::AudienceWithdrawn);
    }
    Ok(())
}

/// Whether a browser session is one at all, whatever application asks.
pub fn browser_session_is_live(
    user: &User,
    browser_session: &BrowserSession,
    global_not_before: Timestamp,
    now: Timestamp,
) -> Result<(), Denial> {
    if browser_session.created_at < global_not_before {
        return Err(Denial::GlobalNotBefore);
    }
    check_principal(Principal::BrowserSession { user, browser_session }, now)
}

/// When it began at the client. Under a browser session it begins now, however old the browser session is: the person
/// may have signed in before the client was registered.
fn began_at_client(principal: Principal<'_>, now: Timestamp) -> Timestamp {
    match principal {
        Principal::BrowserSession { .. } => now,
        Principal::Client { .. }
        | Principal::SigningIn { .. }
        | Principal::RotationRecord { .. }
        | Principal::SessionRow { .. } => began_at(principal),
    }
}

/// The user, as the database knows them. A client acts for itself, and a live record vouches: taking the rights over
/// this server from a user ends it before that is acknowledged.
const fn user_of(principal: Principal<'_>) -> Option<&User> {
    match principal {
        Principal::SigningIn { user, .. } | Principal::BrowserSession { user, .. } => Some(user),
        Principal::SessionRow { user, .. } => user,
        Principal::Client { .. } | Principal::RotationRecord { .. } => None,
    }
}

fn began_at(principal: Principal<'_>) -> Timestamp {
    match principal {
        Principal::Client { issued_at } => issued_at,
        Principal::SigningIn { at, .. } => at,
        Principal::BrowserSession { browser_session, .. } => browser_session.created_at,
        Principal::RotationRecord { grant, .. } => grant.began_at,
        Principal::SessionRow { session, .. } => session.created_at,
    }
}

fn check_principal(principal: Principal<'_>, now: Timestamp) -> Result<(), Denial> {
    match principal {
        Principal::SigningIn { user, at } => check_user(user, at),
        Principal::BrowserSession { browser_session, .. } if browser_session.ended.is_some() => {
            Err(Denial::SessionEnded)
        }
        Principal::BrowserSession { browser_session, .. } if now >= browser_session.ends_at => Err(Denial::SessionOver),
        Principal::BrowserSession { user, browser_session } => check_user(user, browser_session.created_at),
        Principal::RotationRecord { ends_at, .. } if now >= ends_at => Err(Denial::SessionOver),
        Principal::Client { .. } | Principal::RotationRecord { .. } => Ok(()),
        Principal::SessionRow { session, .. } if session.ended.is_some() => Err(Denial::SessionEnded),
        Principal::SessionRow { session, .. } if now >= session.ends_at => Err(Denial::SessionOver),
        Principal::SessionRow { user: None, .. } => Err(Denial::UserAbsent),
        Principal::SessionRow { session, user: Some(user) } => check_user(user, session.created_at),
    }
}

fn check_user(user: &User, began_at: Timestamp) -> Result<(), Denial> {
    match user.state {
        UserState::Disabled => Err(Denial::UserDisabled),
        UserState::Active if began_at < user.not_before => Err(Denial::UserNotBefore),
        UserState::Active => Ok(()),
    }
}
