//! The authorization endpoint: what an application asks of a person in a browser, and what it is answered.
//!
//! A request is checked by the table in [`check`] and becomes a [`Request`]. [`step`] says what has to happen next:
//! sign in, choose an account, agree, or go back with a code. Where a page has to be shown, the request is kept as a
//! *interaction* in the ephemeral store, bound to the browser; each page comes back to it, and the step is found anew
//! from what is true then. Nothing that a page sends says how far the person has come.

mod answer;
mod check;
pub mod code;
mod connected_applications;
mod consent;
mod request;
mod step;
mod interaction;

use std::sync::Arc;

use crate::browser_sessions::{self, Browser, LiveBrowserSession};
use crate::ctx::Ctx;
use crate::gate;
use crate::model::{Client, ClientState, UserId};
use crate::protocol::{AuthorizationError, GrantType, OAuthError};
use crate::tokens;

pub use answer::Answer;
pub use check::is_registered;
pub use connected_applications::{ConnectedApplication, connected_applications};
pub use consent::withdraw;
pub use interaction::InteractionId;
pub use request::{Parameters, Request};
pub use step::{PromptPage, Step};

/// What happens next in the browser.
#[derive(Debug)]
pub enum Next {
    /// A page is shown.
    Prompt(PromptPage, InteractionId),
    /// The browser goes back to the application.
    Answer(Answer),
}

/// What a page needs to know of the interaction that it belongs to.
#[derive(Debug)]
pub struct View {
    /// What is asked for.
    pub request: Request,
    /// Who asks.
    pub client: Arc<Client>,
    /// Who is signed in in this browser.
    pub signed_in: Option<LiveBrowserSession>,
    /// What has to happen next.
    pub step: Step,
}

/// What a person says to an application that asks for something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It may have it.
    Allow,
    /// It may not.
    Deny,
}

/// An application's request arrives (RFC 6749 section 4.1.1).
///
/// # Errors
/// When client or redirect URI are wrong, or a store does not answer: the person is told on a page, and the browser is
/// sent nowhere. Everything else the application is told, in an [`Answer`].
pub async fn begin(ctx: &Ctx, browser: &Browser, parameters: &Parameters) -> Result<Next, OAuthError> {
    let (client, mut request) = match check::check(ctx, parameters).await? {
        check::CheckOutcome::Good(client, request) => (client, request),
        check::CheckOutcome::Refused(answer) => return Ok(Next::Answer(answer)),
    };
    let signed_in = browser_sessions::find(ctx, browser.session_cookie.as_ref()).await?;
    match next_step(ctx, &client, &request, signed_in.as_ref(), None).await? {
        Step::Issue => {
            let signed_in = signed_in.ok_or_else(nobody)?;
            issue(ctx, &client, &request, &signed_in, browser).await.map(Next::Answer)
        }
        Step::Refuse(error) => Ok(Next::Answer(Answer::refusal(ctx, &request, error))),
        Step::Prompt(ask) => {
            request.seen = signed_in.map(|on| (on.browser_session.id, on.browser_session.auth_time));
            Ok(Next::Prompt(ask, interaction::keep(ctx, browser, &request).await?))
        }
    }
}

/// The browser comes back from a page.
///
/// # Errors
/// `invalid_request` when the interaction has expired, is finished, or was begun in another browser.
pub async fn resume(ctx: &Ctx, browser: &Browser, id: &InteractionId) -> Result<Next, OAuthError> {
    let view = view(ctx, browser, id).await?;
    match view.step {
        Step::Prompt(ask) => Ok(Next::Prompt(ask, id.clone())),
        Step::Refuse(error) => {
            interaction::finish(ctx, id).await?;
            Ok(Next::Answer(Answer::refusal(ctx, &view.request, error)))
        }
        Step::Issue => {
            interaction::finish(ctx, id).await?;
            let signed_in = view.signed_in.ok_or_else(nobody)?;
            issue(ctx, &view.client, &view.request, &signed_in, browser).await.map(Next::Answer)
        }
    }
}

/// What a page of this interaction shows.
///
/// # Errors
/// As [`resume`].
pub async fn view(ctx: &Ctx, browser: &Browser, id: &InteractionId) -> Result<View, OAuthError> {
    let request = interaction::find(ctx, browser, id).await?;
    let client = ctx.store.client(&request.client_id).await?;
    let may_go_on = |client: &Arc<Client>| {
        client.state == ClientState::Active
            && client.may_use(GrantType::AuthorizationCode)
            && is_registered(client, &request.return_to.redirect_uri)
    };
    let gone = || OAuthError::invalid_request("the application is not registered like this any more");
    let client = client.filter(may_go_on).ok_or_else(gone)?;
    let signed_in = browser_sessions::find(ctx, browser.session_cookie.as_ref()).await?;
    let step = next_step(ctx, &client, &request, signed_in.as_ref(), Some(id)).await?;
    Ok(View { request, client, signed_in, step })
}

/// The person keeps the account that is signed in.
///
/// # Errors
/// As [`resume`].
pub async fn keep_account(ctx: &Ctx, browser: &Browser, id: &InteractionId) -> Result<Next, OAuthError> {
    if let Some(signed_in) = view(ctx, browser, id).await?.signed_in {
        interaction::note_choice(ctx, id, signed_in.browser_session.id).await?;
    }
    resume(ctx, browser, id).await
}

/// A person answers the application's question. `asked` is the one whom the page has asked: in another tab somebody
/// else may have signed in, and then they are asked.
///
/// # Errors
/// As [`resume`].
pub async fn decide(
    ctx: &Ctx,
    browser: &Browser,
    id: &InteractionId,
    asked: UserId,
    decision: Decision,
) -> Result<Next, OAuthError> {
    let view = view(ctx, browser, id).await?;
    let signed_in = view.signed_in.filter(|signed_in| signed_in.user.id == asked);
    let (Step::Prompt(PromptPage::Consent) | Step::Issue, Some(signed_in)) = (view.step, signed_in) else {
        // Somebody signed out meanwhile, or the question is another one: it is asked first.
        return resume(ctx, browser, id).await;
    };
    match decision {
        Decision::Deny => {
            interaction::finish(ctx, id).await?;
            Ok(Next::Answer(Answer::refusal(ctx, &view.request, AuthorizationError::AccessDenied)))
        }
        Decision::Allow => {
            consent::give(ctx, &signed_in.user, &view.client, &view.request.to_agree_to()).await?;
            interaction::finish(ctx, id).await?;
            issue(ctx, &view.client, &view.request, &signed_in, browser).await.map(Next::Answer)
        }
    }
}

async fn next_step(
    ctx: &Ctx,
    client: &Client,
    request: &Request,
    signed_in: Option<&LiveBrowserSession>,
    interaction: Option<&InteractionId>,
) -> Result<Step, OAuthError> {
    let Some(on) = signed_in else {
        return Ok(step::next(client, request, None));
    };
    // Of a first-party application nobody asks whether the person has agreed.
    let consent = if client.trusted { None } else { consent::given(ctx, on.user.id, client).await? };
    let chosen = match interaction {
        Some(id) if request.wants_choice() => interaction::is_chosen(ctx, id, on.browser_session.id).await?,
        _ => false,
    };
    let known = step::StepInput {
        browser_session: &on.browser_session,
        user: &on.user,
        subject: tokens::subject(ctx, client, on.user.id),
        waited: interaction.is_some(),
        agreed: consent.as_deref().map(|consent| &consent.scope),
        chosen,
    };
    Ok(step::next(client, request, Some(known)))
}

/// Passes the gate and answers with a code.
async fn issue(
    ctx: &Ctx,
    client: &Client,
    request: &Request,
    signed_in: &LiveBrowserSession,
    browser: &Browser,
) -> Result<Answer, OAuthError> {
    let principal =
        gate::Principal::BrowserSession { user: &signed_in.user, browser_session: &signed_in.browser_session };
    if gate::check(ctx, client, principal, &request.scope, &request.audience).is_err() {
        return Ok(Answer::refusal(ctx, request, AuthorizationError::AccessDenied));
    }
    let code = code::issue(ctx, request, signed_in, &browser.user_agent).await?;
    Ok(Answer::code(ctx, request, &code))
}

fn nobody() -> OAuthError {
    crate::protocol::Internal::inconsistent("a code was to be issued and nobody is signed in").into()
}
