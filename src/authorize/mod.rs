//! The authorization endpoint: what an application asks of a person in a browser, and what it is answered.
//!
//! A request is checked by the table in [`check`] and becomes a [`Request`]. [`step`] says what has to happen next:
//! sign in, choose an account, agree, or go back with a code. Where a page has to be shown, the request is kept as a
//! *transaction* in the ephemeral store, bound to the browser; each page comes back to it, and the step is found anew
//! from what is true then. Nothing that a page sends says how far the person has come.

mod answer;
mod check;
pub mod code;
mod connected;
mod consent;
mod request;
mod step;
mod transaction;

use std::sync::Arc;

use crate::clients;
use crate::ctx::Ctx;
use crate::logins::{self, Browser, SignedOn};
use crate::model::{Client, ClientState, UserId};
use crate::protocol::{AuthorizationError, GrantType, OAuthError};
use crate::tokens;

pub use answer::Answer;
pub use check::is_registered;
pub use connected::{Connected, connected};
pub use consent::withdraw;
pub use request::{Parameters, Request};
pub use step::{Ask, Step};
pub use transaction::TransactionId;

/// What happens next in the browser.
#[derive(Debug)]
pub enum Next {
    /// A page is shown.
    Ask(Ask, TransactionId),
    /// The browser goes back to the application.
    Answer(Answer),
}

/// What a page needs to know of the transaction that it belongs to.
#[derive(Debug)]
pub struct View {
    /// What is asked for.
    pub request: Request,
    /// Who asks.
    pub client: Arc<Client>,
    /// Who is signed in in this browser.
    pub signed_on: Option<SignedOn>,
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
        check::Checked::Good(client, request) => (client, request),
        check::Checked::Refused(answer) => return Ok(Next::Answer(answer)),
    };
    let signed_on = logins::find(ctx, browser.login.as_ref()).await?;
    match next_step(ctx, &client, &request, signed_on.as_ref(), None).await? {
        Step::Issue => {
            let signed_on = signed_on.ok_or_else(nobody)?;
            issue(ctx, &client, &request, &signed_on, browser).await.map(Next::Answer)
        }
        Step::Refuse(error) => Ok(Next::Answer(Answer::refusal(ctx, &request, error))),
        Step::Ask(ask) => {
            request.seen = signed_on.map(|on| (on.login.id, on.login.auth_time));
            Ok(Next::Ask(ask, transaction::keep(ctx, browser, &request).await?))
        }
    }
}

/// The browser comes back from a page.
///
/// # Errors
/// `invalid_request` when the transaction has expired, is finished, or was begun in another browser.
pub async fn resume(ctx: &Ctx, browser: &Browser, id: &TransactionId) -> Result<Next, OAuthError> {
    let view = view(ctx, browser, id).await?;
    match view.step {
        Step::Ask(ask) => Ok(Next::Ask(ask, id.clone())),
        Step::Refuse(error) => {
            transaction::finish(ctx, id).await?;
            Ok(Next::Answer(Answer::refusal(ctx, &view.request, error)))
        }
        Step::Issue => {
            transaction::finish(ctx, id).await?;
            let signed_on = view.signed_on.ok_or_else(nobody)?;
            issue(ctx, &view.client, &view.request, &signed_on, browser).await.map(Next::Answer)
        }
    }
}

/// What a page of this transaction shows.
///
/// # Errors
/// As [`resume`].
pub async fn view(ctx: &Ctx, browser: &Browser, id: &TransactionId) -> Result<View, OAuthError> {
    let request = transaction::find(ctx, browser, id).await?;
    let client = ctx.store.client(&request.client_id).await?;
    let may_go_on = |client: &Arc<Client>| {
        client.state == ClientState::Active
            && client.may_use(GrantType::AuthorizationCode)
            && is_registered(client, &request.return_to.redirect_uri)
    };
    let gone = || OAuthError::invalid_request("the application is not registered like this any more");
    let client = client.filter(may_go_on).ok_or_else(gone)?;
    let signed_on = logins::find(ctx, browser.login.as_ref()).await?;
    let step = next_step(ctx, &client, &request, signed_on.as_ref(), Some(id)).await?;
    Ok(View { request, client, signed_on, step })
}

/// The person keeps the account that is signed in.
///
/// # Errors
/// As [`resume`].
pub async fn keep_account(ctx: &Ctx, browser: &Browser, id: &TransactionId) -> Result<Next, OAuthError> {
    if let Some(signed_on) = view(ctx, browser, id).await?.signed_on {
        transaction::note_choice(ctx, id, signed_on.login.id).await?;
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
    id: &TransactionId,
    asked: UserId,
    decision: Decision,
) -> Result<Next, OAuthError> {
    let view = view(ctx, browser, id).await?;
    let signed_on = view.signed_on.filter(|signed_on| signed_on.user.id == asked);
    let (Step::Ask(Ask::Consent) | Step::Issue, Some(signed_on)) = (view.step, signed_on) else {
        // Somebody signed out meanwhile, or the question is another one: it is asked first.
        return resume(ctx, browser, id).await;
    };
    match decision {
        Decision::Deny => {
            transaction::finish(ctx, id).await?;
            Ok(Next::Answer(Answer::refusal(ctx, &view.request, AuthorizationError::AccessDenied)))
        }
        Decision::Allow => {
            consent::give(ctx, &signed_on.user, &view.client, &view.request.to_agree_to()).await?;
            transaction::finish(ctx, id).await?;
            issue(ctx, &view.client, &view.request, &signed_on, browser).await.map(Next::Answer)
        }
    }
}

async fn next_step(
    ctx: &Ctx,
    client: &Client,
    request: &Request,
    signed_on: Option<&SignedOn>,
    transaction: Option<&TransactionId>,
) -> Result<Step, OAuthError> {
    let Some(on) = signed_on else {
        return Ok(step::next(client, request, None));
    };
    // Of a first-party application nobody asks whether the person has agreed.
    let consent = if client.trusted { None } else { consent::given(ctx, on.user.id, client).await? };
    let chosen = match transaction {
        Some(id) if request.wants_choice() => transaction::is_chosen(ctx, id, on.login.id).await?,
        _ => false,
    };
    let known = step::Known {
        login: &on.login,
        user: &on.user,
        subject: tokens::subject(ctx, client, on.user.id),
        waited: transaction.is_some(),
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
    signed_on: &SignedOn,
    browser: &Browser,
) -> Result<Answer, OAuthError> {
    let holder = crate::gate::Holder::SignedOn { user: &signed_on.user, login: &signed_on.login };
    if clients::may_receive_tokens(ctx, client, holder, &request.scope, &request.audience).is_err() {
        return Ok(Answer::refusal(ctx, request, AuthorizationError::AccessDenied));
    }
    let code = code::issue(ctx, request, signed_on, &browser.device).await?;
    Ok(Answer::code(ctx, request, &code))
}

fn nobody() -> OAuthError {
    crate::protocol::Internal::inconsistent("a code was to be issued and nobody is signed in").into()
}
