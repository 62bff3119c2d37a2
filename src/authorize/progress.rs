//! The progress of a request: gathers the input of `step`, and issues the code at the end.

use super::answer::Answer;
use super::request::Request;
use super::step::{self, Step, StepInput};
use super::{code, consent};
use crate::browser_sessions::{Browser, LiveBrowserSession};
use crate::ctx::Ctx;
use crate::error::{Error, Internal};
use crate::gate::{self, Principal};
use crate::model::{BrowserSessionId, Client};
use crate::protocol::ErrorCode;
use crate::tokens;

/// The state of a request, apart from the browser session.
#[derive(Debug, Clone, Copy)]
pub(super) enum Arrival {
    New,
    /// The request has waited for the user, who may have chosen to keep the account of this browser session.
    Waited(Option<BrowserSessionId>),
}

pub(super) async fn next_step(
    ctx: &Ctx,
    client: &Client,
    request: &Request,
    signed_in: Option<&LiveBrowserSession>,
    arrival: Arrival,
) -> Result<Step, Error> {
    let Some(on) = signed_in else {
        return Ok(step::next(client, request, None));
    };
    // A first-party client needs no consent.
    let consent = if client.metadata.trusted { None } else { consent::given(ctx, on.user.id, client).await? };
    let (waited, chosen) = match arrival {
        Arrival::New => (false, false),
        Arrival::Waited(chosen) => (true, chosen == Some(on.browser_session.id)),
    };
    let known = StepInput {
        browser_session: &on.browser_session,
        user: &on.user,
        subject: tokens::subject(ctx, client, on.user.id),
        waited,
        agreed: consent.as_deref().map(|consent| &consent.scope),
        chosen,
    };
    Ok(step::next(client, request, Some(known)))
}

/// Runs the gate and answers with a code.
pub(super) async fn issue(
    ctx: &Ctx,
    client: &Client,
    request: &Request,
    signed_in: &LiveBrowserSession,
    browser: &Browser,
) -> Result<Answer, Error> {
    let principal = Principal::BrowserSession { user: &signed_in.user, browser_session: &signed_in.browser_session };
    if gate::check(ctx, client, principal, &request.scope, &request.audience).is_err() {
        return Ok(Answer::refusal(ctx, request, ErrorCode::AccessDenied));
    }
    let code = code::issue(ctx, request, signed_in, &browser.user_agent).await?;
    Ok(Answer::code(ctx, request, &code))
}

pub(super) fn nobody() -> Error {
    Internal::inconsistent("a code was to be issued and nobody is signed in").into()
}
