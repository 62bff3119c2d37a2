//! Signs a user out of a browser and tells the applications: RP-initiated, front-channel and back-channel logout
//! (OpenID Connect).
//!
//! # Who may sign a browser out
//!
//! A request that carries an ID token of this browser's own browser session signs it out without a question. Any site
//! can send a browser here, so every other request asks the user. Only an ID token of this issuer, of any browser
//! session, opens the way back to an address that its client has registered. [`decide`] is the pure decision.
//!
//! # Order of an end
//!
//! A browser session ends by its row first (`browser_sessions/end.rs`); afterwards no session can begin under it. Then
//! its sessions end as `sessions/end.rs` describes. Sessions that were granted `offline_access` live on.
//!
//! # Back-channel logout
//!
//! The transaction of each end writes a row to `backchannel_logouts` for every client that has a
//! `backchannel_logout_uri`. This includes the sessions that outlive their browser session, because the user is no
//! longer signed in there. No row is written for an end that the client caused itself (it revoked the token, or used a
//! code twice), for the removal of the client, or for a session that reaches its absolute end.
//!
//! The delivery sends what is due, 32 requests at a time with 2 s each. It runs as soon as this instance ends a
//! session, and once a second besides. An instance claims a row by moving its `next_try_at` forward (compare-and-set),
//! so that several instances do not send the same logout token at once. An instance that dies leaves the row for the
//! others. The delay between tries grows from 10 s to an hour. After a day the row is removed and a line is logged.
//! Each try has a logout token of its own, because a client may refuse a `jti` that it has seen.
//!
//! # Front-channel logout
//!
//! The last page loads the `frontchannel_logout_uri` of each client in a frame, for at most 50 sessions, and the
//! content security policy of that page names exactly these addresses. A POST to `/oauth2/logout` is answered with a
//! redirect to the same request as a GET, because a form of another site sends no cookies.

pub mod backchannel;
mod decide;
mod frames;

use std::sync::Arc;

use crate::audit::Actor;
use crate::authorize::Parameters;
use crate::browser_sessions::{self, Browser, LiveBrowserSession};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{Client, ClientId, ClientState, EndReason};
use crate::protocol::web_uri::with_parameters;
use crate::sessions::Applied;
use crate::tokens::{self, IdToken};

use decide::{Decision, HintTrust, SignInState, decide};

#[derive(Debug)]
pub enum Next {
    Ask(Question),
    SignedOut(LogoutOutcome),
}

#[derive(Debug)]
pub struct Question {
    pub user: String,
    /// The name of the client that sent the request, if it identifies itself.
    pub application: Option<String>,
}

#[derive(Debug, Default)]
pub struct LogoutOutcome {
    /// Client pages to load in frames (OpenID Connect Front-Channel Logout 1.0).
    pub frames: Vec<String>,
    pub back: Option<PostLogoutRedirect>,
    /// Whether some instances may not know of the end yet.
    pub is_pending: bool,
}

/// The client page that the browser returns to after the logout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostLogoutRedirect {
    /// The registered address with `state`.
    pub address: String,
    pub application: String,
}

/// An ID token of this server that is used as a hint, and its client.
struct Hint {
    token: IdToken,
    client: Arc<Client>,
}

/// Handles a logout request of a client.
///
/// # Errors
/// `invalid_request` for an error that is shown on a page; [`Error::Unavailable`] when a store does not answer.
pub async fn begin(ctx: &Ctx, browser: &Browser, parameters: &Parameters) -> Result<Next, Error> {
    if !parameters.repeated.is_empty() {
        return Err(Error::invalid_request("a parameter is given twice"));
    }
    let hint = read_hint(ctx, parameters).await?;
    let back = hint.as_ref().map(|hint| way_back(&hint.client, parameters)).transpose()?.flatten();
    let here = browser_sessions::find(ctx, browser.session_cookie.as_ref()).await?;
    let hint_trust = hint_trust(ctx, hint.as_ref(), here.as_ref()).await?;
    let state = if here.is_some() { SignInState::SignedIn } else { SignInState::SignedOut };
    match (decide(hint_trust, state), here) {
        (Decision::LogOut, Some(here)) => {
            logout(ctx, &here).await.map(|outcome| Next::SignedOut(LogoutOutcome { back, ..outcome }))
        }
        (Decision::Ask, Some(here)) => {
            let application = asking(ctx, hint, parameters).await?;
            Ok(Next::Ask(Question { user: here.user.username.clone(), application }))
        }
        (Decision::GoBack, _) => Ok(Next::SignedOut(LogoutOutcome { back, ..LogoutOutcome::default() })),
        (Decision::LogOut | Decision::Ask | Decision::Stay, _) => Ok(Next::SignedOut(LogoutOutcome::default())),
    }
}

/// Handles a visit of the logout page.
pub async fn ask(ctx: &Ctx, browser: &Browser) -> Result<Next, Error> {
    Ok(match browser_sessions::find(ctx, browser.session_cookie.as_ref()).await? {
        Some(here) => Next::Ask(Question { user: here.user.username.clone(), application: None }),
        None => Next::SignedOut(LogoutOutcome::default()),
    })
}

/// Ends the browser session after the user's confirmation in a form of this server.
pub async fn confirm(ctx: &Ctx, browser: &Browser) -> Result<LogoutOutcome, Error> {
    match browser_sessions::find(ctx, browser.session_cookie.as_ref()).await? {
        Some(here) => logout(ctx, &here).await,
        None => Ok(LogoutOutcome::default()),
    }
}

async fn logout(ctx: &Ctx, here: &LiveBrowserSession) -> Result<LogoutOutcome, Error> {
    // Read before the end: afterwards the live sessions are unknown.
    let frames = frames::of(ctx, here.browser_session.id).await?;
    let by = Actor::User(here.user.id);
    let receipt = browser_sessions::end(ctx, here.browser_session.id, EndReason::SignedOut, by).await?;
    let is_pending = receipt.is_some_and(|receipt| receipt.applied == Applied::Pending);
    Ok(LogoutOutcome { frames, back: None, is_pending })
}

/// Reads the hint: an ID token of this server, expired or not, whose client is active. An invalid hint counts as none.
async fn read_hint(ctx: &Ctx, parameters: &Parameters) -> Result<Option<Hint>, Error> {
    let token = parameters.get("id_token_hint").and_then(|hint| tokens::read_id_token(ctx, hint));
    let Some((token, id)) = token.and_then(|token| token.client().map(|id| (token, id))) else { return Ok(None) };
    if parameters.get("client_id").is_some_and(|named| named != id.as_str()) {
        return Err(Error::invalid_request("client_id and id_token_hint name two applications"));
    }
    let client = ctx.store.client(&id).await?.filter(|client| client.state == ClientState::Active);
    Ok(client.map(|client| Hint { token, client }))
}

/// Returns the page to return to, compared byte by byte with the registered ones (RP-Initiated Logout 1.0 section 3).
fn way_back(client: &Client, parameters: &Parameters) -> Result<Option<PostLogoutRedirect>, Error> {
    let Some(sent) = parameters.get("post_logout_redirect_uri") else { return Ok(None) };
    if !client.metadata.post_logout_redirect_uris.iter().any(|registered| registered.as_str() == sent) {
        return Err(Error::invalid_request("post_logout_redirect_uri is not one that this application has registered"));
    }
    let address = match parameters.get("state") {
        Some(state) => with_parameters(sent, &[("state", state)]),
        None => sent.to_owned(),
    };
    Ok(Some(PostLogoutRedirect { address, application: client.name().to_owned() }))
}

async fn hint_trust(ctx: &Ctx, hint: Option<&Hint>, here: Option<&LiveBrowserSession>) -> Result<HintTrust, Error> {
    let Some(hint) = hint else { return Ok(HintTrust::None) };
    let Some(here) = here else { return Ok(HintTrust::Another) };
    if tokens::subject(ctx, &hint.client, here.user.id) == hint.token.sub {
        return Ok(HintTrust::ThisBrowserSession);
    }
    // The client's subject identifiers may have changed since.
    let session = ctx.store.database.session(hint.token.sid).await?;
    let is_of_this_browser_session =
        session.is_some_and(|session| session.browser_session_id == Some(here.browser_session.id));
    Ok(if is_of_this_browser_session { HintTrust::ThisBrowserSession } else { HintTrust::Another })
}

/// Returns the name of the client that sent the request. Without a hint, the `client_id` alone names it, unproven.
async fn asking(ctx: &Ctx, hint: Option<Hint>, parameters: &Parameters) -> Result<Option<String>, Error> {
    if let Some(hint) = hint {
        return Ok(Some(hint.client.name().to_owned()));
    }
    let Some(id) = parameters.get("client_id").and_then(|id| id.parse::<ClientId>().ok()) else { return Ok(None) };
    let client = ctx.store.client(&id).await?.filter(|client| client.state == ClientState::Active);
    Ok(client.map(|client| client.name().to_owned()))
}
