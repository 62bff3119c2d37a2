//! The gate: may this client, user and session receive tokens (or be believed by those they hold)?
//!
//! Every grant passes it before it mints, and introspection before it says `active`. A check that is added here holds
//! on every path; a check that is added anywhere else has siblings that lack it.

use crate::clock::Timestamp;
use crate::model::{BrowserSession, Client, ClientState, Session, SessionGrant, User, UserState};
use crate::protocol::Scope;

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub enum Holder<'a> {
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
    /// and raising a watermark all end the record before they are acknowledged.
    Recorded {
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

/// What the gate looks at besides the client and the holder.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// What the tokens are good for.
    pub scope: &'a Scope,
    /// Whom they are for.
    pub audience: &'a [String],
    /// Whom the client's tokens may be for now.
    pub allowed_audience: &'a [String],
    /// Everything that began before this is over.
    pub global_watermark: Timestamp,
    /// The time.
    pub now: Timestamp,
}

/// Why the gate stays shut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shut {
    /// The client may obtain nothing.
    ClientDisabled,
    /// Tokens of the client that began then are over.
    ClientWatermark,
    /// Tokens of anybody that began then are over.
    GlobalWatermark,
    /// There is no such user any more.
    UserAbsent,
    /// The user may not sign in.
    UserDisabled,
    /// Tokens of the user that began then are over.
    UserWatermark,
    /// The session or the browser session was ended.
    SessionEnded,
    /// The session or the browser session has reached its absolute end.
    SessionOver,
    /// The client may no longer be granted this scope.
    ScopeWithdrawn,
    /// The client's tokens may no longer be for this audience.
    AudienceWithdrawn,
}

/// Opens the gate, or says why not.
pub fn may_receive_tokens(client: &Client, holder: Holder<'_>, asked: Asked<'_>) -> Result<(), Shut> {
    if client.state != ClientState::Active {
        return Err(Shut::ClientDisabled);
    }
    if began_at_client(holder, asked.now) < client.not_before {
        return Err(Shut::ClientWatermark);
    }
    if began_at(holder) < asked.global_watermark {
        return Err(Shut::GlobalWatermark);
    }
    check_holder(holder, asked.now)?;
    if asked.scope.concerns_the_house() && user_of(holder).is_some_and(|user| !user.admin) {
        return Err(Shut::ScopeWithdrawn);
    }
    if !asked.scope.is_within(&client.scope) {
        return Err(Shut::ScopeWithdrawn);
    }
    if !asked.audience.iter().all(|audience| asked.allowed_audience.contains(audience)) {
        return Err(Shut::AudienceWithdrawn);
    }
    Ok(())
}

/// Whether a browser session is one at all, whatever application asks.
pub fn browser_session_is_live(
    user: &User,
    browser_session: &BrowserSession,
    global_watermark: Timestamp,
    now: Timestamp,
) -> Result<(), Shut> {
    if browser_session.created_at < global_watermark {
        return Err(Shut::GlobalWatermark);
    }
    check_holder(Holder::BrowserSession { user, browser_session }, now)
}

/// When it began at the client. Under a browser session it begins now, however old the browser session is: the person
/// may have signed in before the client was registered.
fn began_at_client(holder: Holder<'_>, now: Timestamp) -> Timestamp {
    match holder {
        Holder::BrowserSession { .. } => now,
        Holder::Client { .. } | Holder::SigningIn { .. } | Holder::Recorded { .. } | Holder::SessionRow { .. } => {
            began_at(holder)
        }
    }
}

/// The user, as the database knows them. A client acts for itself, and a live record vouches: taking the rights over
/// this house from a user ends it before that is acknowledged.
const fn user_of(holder: Holder<'_>) -> Option<&User> {
    match holder {
        Holder::SigningIn { user, .. } | Holder::BrowserSession { user, .. } => Some(user),
        Holder::SessionRow { user, .. } => user,
        Holder::Client { .. } | Holder::Recorded { .. } => None,
    }
}

fn began_at(holder: Holder<'_>) -> Timestamp {
    match holder {
        Holder::Client { issued_at } => issued_at,
        Holder::SigningIn { at, .. } => at,
        Holder::BrowserSession { browser_session, .. } => browser_session.created_at,
        Holder::Recorded { grant, .. } => grant.began_at,
        Holder::SessionRow { session, .. } => session.created_at,
    }
}

fn check_holder(holder: Holder<'_>, now: Timestamp) -> Result<(), Shut> {
    match holder {
        Holder::SigningIn { user, at } => check_user(user, at),
        Holder::BrowserSession { browser_session, .. } if browser_session.ended.is_some() => Err(Shut::SessionEnded),
        Holder::BrowserSession { browser_session, .. } if now >= browser_session.ends_at => Err(Shut::SessionOver),
        Holder::BrowserSession { user, browser_session } => check_user(user, browser_session.created_at),
        Holder::Recorded { ends_at, .. } if now >= ends_at => Err(Shut::SessionOver),
        Holder::Client { .. } | Holder::Recorded { .. } => Ok(()),
        Holder::SessionRow { session, .. } if session.ended.is_some() => Err(Shut::SessionEnded),
        Holder::SessionRow { session, .. } if now >= session.ends_at => Err(Shut::SessionOver),
        Holder::SessionRow { user: None, .. } => Err(Shut::UserAbsent),
        Holder::SessionRow { session, user: Some(user) } => check_user(user, session.created_at),
    }
}

fn check_user(user: &User, began_at: Timestamp) -> Result<(), Shut> {
    match user.state {
        UserState::Disabled => Err(Shut::UserDisabled),
        UserState::Active if began_at < user.not_before => Err(Shut::UserWatermark),
        UserState::Active => Ok(()),
    }
}
