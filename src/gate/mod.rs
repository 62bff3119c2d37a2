//! The gate decides whether this client, user and session may receive tokens, and whether the tokens they hold are
//! good.
//!
//! Every grant passes it before it mints, and introspection before it answers `active`. A check that is added here
//! holds on every path; a check that is added elsewhere is missing on the others. [`decide`] is the pure decision,
//! [`check`] takes its input from the context, and [`audience`] computes the audience of tokens.

pub mod audience;

use crate::clock::Timestamp;
use crate::ctx::Ctx;
use crate::model::{BrowserSession, Client, ClientState, Session, SessionGrant, User, UserState};
use crate::protocol::Scope;

#[derive(Debug, Clone, Copy)]
pub enum Principal<'a> {
    /// A client that acts for itself.
    Client {
        /// The time of issue; now for a new token.
        issued_at: Timestamp,
    },
    SigningIn {
        /// The user as the database had it when the attempt began.
        user: &'a User,
        at: Timestamp,
    },
    /// A user with a browser session, in which a client requests a code.
    BrowserSession {
        /// The user as this instance has it in memory.
        user: &'a User,
        browser_session: &'a BrowserSession,
    },
    /// A live rotation record. It needs no check of the user: to disable or remove a user, to change a password and to
    /// raise a `not_before` all end the record before they are acknowledged.
    RotationRecord {
        grant: &'a SessionGrant,
        /// The session's absolute end.
        ends_at: Timestamp,
    },
    /// A session from the database, whose record is lost, and its user as the database has it.
    SessionRow {
        session: &'a Session,
        /// `None`: the user no longer exists.
        user: Option<&'a User>,
    },
}

/// The input of the gate besides the client and the principal.
#[derive(Debug, Clone, Copy)]
pub struct GateRequest<'a> {
    pub scope: &'a Scope,
    pub audience: &'a [String],
    /// The audience that the client's tokens may have now.
    pub allowed_audience: &'a [String],
    /// Everything that began before this is over, for all users and clients.
    pub global_not_before: Timestamp,
    pub now: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    ClientDisabled,
    /// The client's `not_before` is later than the start of this access.
    ClientNotBefore,
    /// The server's `not_before` is later than the start of this access.
    GlobalNotBefore,
    UserAbsent,
    UserDisabled,
    /// The user's `not_before` is later than the start of this access.
    UserNotBefore,
    /// The session or the browser session was ended.
    SessionEnded,
    /// The session or the browser session has reached its absolute end.
    SessionOver,
    ScopeWithdrawn,
    AudienceWithdrawn,
}

/// Checks whether the principal may have tokens of the client now, by what this instance has in memory.
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

/// Decides whether the principal may have tokens of the client; a pure function.
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

/// Checks whether a browser session is live, independent of any client.
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

/// Returns when the principal's access began at the client. Under a browser session it begins now, however old the
/// browser session is, because the user may have signed in before the client was registered.
fn began_at_client(principal: Principal<'_>, now: Timestamp) -> Timestamp {
    match principal {
        Principal::BrowserSession { .. } => now,
        Principal::Client { .. }
        | Principal::SigningIn { .. }
        | Principal::RotationRecord { .. }
        | Principal::SessionRow { .. } => began_at(principal),
    }
}

/// Returns the principal's user, if it comes with one. A client acts for itself. A live record needs no user: taking
/// the rights over this server from a user ends the record before that is acknowledged.
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
