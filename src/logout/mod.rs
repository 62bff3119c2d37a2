//! Signing out, as an application asks for it (OpenID Connect RP-Initiated Logout 1.0) or a person does on the page.
//!
//! Only who presents an ID token of this browser's own browser session signs it out without a question; anybody can
//! send a browser here, so everybody else leaves the word to the person. Only such an ID token, of whatever browser
//! session, opens the way back to an address that its application has registered. [`decide`] is the pure decision.

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

/// What happens next in the browser.
#[derive(Debug)]
pub enum Next {
    /// The person is asked.
    Ask(Question),
    /// Nobody is signed in any more.
    SignedOut(LogoutOutcome),
}

/// Whom the person is asked about.
#[derive(Debug)]
pub struct Question {
    /// Who is signed in.
    pub user: String,
    /// The name of the application that asks, as far as it says who it is.
    pub application: Option<String>,
}

/// A browser in which nobody is signed in any more.
#[derive(Debug, Default)]
pub struct LogoutOutcome {
    /// Pages of applications that sign the person out there (OpenID Connect Front-Channel Logout 1.0).
    pub frames: Vec<String>,
    /// Where the browser goes on, and the name of the application there.
    pub back: Option<PostLogoutRedirect>,
    /// Whether some instance may still have to learn of it.
    pub is_pending: bool,
}

/// The way back to an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostLogoutRedirect {
    /// As it was registered, with `state`.
    pub address: String,
    /// The name of the application.
    pub application: String,
}

/// An ID token of this server, and the application that was given it.
struct Hint {
    token: IdToken,
    client: Arc<Client>,
}

/// An application sends a browser here.
///
/// # Errors
/// `invalid_request` for what can only be said on a page; [`Error::Unavailable`] when a store does not answer.
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

/// Somebody opens the page.
///
/// # Errors
/// [`Error::Unavailable`] when a store does not answer.
pub async fn ask(ctx: &Ctx, browser: &Browser) -> Result<Next, Error> {
    Ok(match browser_sessions::find(ctx, browser.session_cookie.as_ref()).await? {
        Some(here) => Next::Ask(Question { user: here.user.username.clone(), application: None }),
        None => Next::SignedOut(LogoutOutcome::default()),
    })
}

/// The person says yes, in a form of our own.
///
/// # Errors
/// [`Error::Unavailable`] when a store does not answer.
pub async fn confirm(ctx: &Ctx, browser: &Browser) -> Result<LogoutOutcome, Error> {
    match browser_sessions::find(ctx, browser.session_cookie.as_ref()).await? {
        Some(here) => logout(ctx, &here).await,
        None => Ok(LogoutOutcome::default()),
    }
}

async fn logout(ctx: &Ctx, here: &LiveBrowserSession) -> Result<LogoutOutcome, Error> {
    // Before the end: afterwards nobody knows which sessions were live.
    let frames = frames::of(ctx, here.browser_session.id).await?;
    let by = Actor::User(here.user.id);
    let receipt = browser_sessions::end(ctx, here.browser_session.id, EndReason::SignedOut, by).await?;
    let is_pending = receipt.is_some_and(|receipt| receipt.applied == Applied::Pending);
    Ok(LogoutOutcome { frames, back: None, is_pending })
}

/// The hint, where it is an ID token of this server, expired or not, for an application that is still one. A bad one
/// counts as none.
async fn read_hint(ctx: &Ctx, parameters: &Parameters) -> Result<Option<Hint>, Error> {
    let token = parameters.get("id_token_hint").and_then(|hint| tokens::read_id_token(ctx, hint));
    let Some((token, id)) = token.and_then(|token| token.client().map(|id| (token, id))) else { return Ok(None) };
    if parameters.get("client_id").is_some_and(|named| named != id.as_str()) {
        return Err(Error::invalid_request("client_id and id_token_hint name two applications"));
    }
    let client = ctx.store.client(&id).await?.filter(|client| client.state == ClientState::Active);
    Ok(client.map(|client| Hint { token, client }))
}

/// Compared byte by byte with what was registered (RP-Initiated Logout 1.0 section 3).
fn way_back(client: &Client, parameters: &Parameters) -> Result<Option<PostLogoutRedirect>, Error> {
    let Some(sent) = parameters.get("post_logout_redirect_uri") else { return Ok(None) };
    if !client.post_logout_redirect_uris.iter().any(|registered| registered.as_str() == sent) {
        return Err(Error::invalid_request("post_logout_redirect_uri is not one that this application has registered"));
    }
    let address = match parameters.get("state") {
        Some(state) => with_parameters(sent, &[("state", state)]),
        None => sent.to_owned(),
    };
    Ok(Some(PostLogoutRedirect { address, application: client.name.clone() }))
}

/// For whom the hint speaks.
async fn hint_trust(ctx: &Ctx, hint: Option<&Hint>, here: Option<&LiveBrowserSession>) -> Result<HintTrust, Error> {
    let Some(hint) = hint else { return Ok(HintTrust::None) };
    let Some(here) = here else { return Ok(HintTrust::Another) };
    if tokens::subject(ctx, &hint.client, here.user.id) == hint.token.sub {
        return Ok(HintTrust::ThisBrowserSession);
    }
    // The application may know people by other names by now.
    let session = ctx.store.database.session(hint.token.sid).await?;
    let is_of_this_browser_session =
        session.is_some_and(|session| session.browser_session_id == Some(here.browser_session.id));
    Ok(if is_of_this_browser_session { HintTrust::ThisBrowserSession } else { HintTrust::Another })
}

/// The name of the application that asks. Without a hint it is only what it says of itself.
async fn asking(ctx: &Ctx, hint: Option<Hint>, parameters: &Parameters) -> Result<Option<String>, Error> {
    if let Some(hint) = hint {
        return Ok(Some(hint.client.name.clone()));
    }
    let Some(id) = parameters.get("client_id").and_then(|id| id.parse::<ClientId>().ok()) else { return Ok(None) };
    let client = ctx.store.client(&id).await?.filter(|client| client.state == ClientState::Active);
    Ok(client.map(|client| client.name.clone()))
}
