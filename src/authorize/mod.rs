//! The authorization endpoint.
//!
//! A request passes the checks in [`check`] and becomes a [`Request`]. [`step`] decides what happens next: sign in,
//! choose an account, consent, or return to the client with a code. Where a page is needed, the request is kept as an
//! [`Interaction`] in the ephemeral store, bound to the browser. Each page opens it again and the step is decided again
//! from the current state. Nothing that a page sends says how far the user has come.

mod answer;
mod check;
pub mod code;
mod connected_applications;
mod consent;
mod request;
mod step;
mod progress;
mod interaction;

use crate::browser_sessions::{self, Browser};
use crate::ctx::Ctx;
use crate::error::Error;
use progress::Arrival;

pub use answer::Answer;
pub use check::is_registered;
pub use connected_applications::{ConnectedApplication, connected_applications};
pub use consent::withdraw;
pub use interaction::{Interaction, InteractionId, Next};
pub use request::{Parameters, Request, ReturnTo};
pub use step::{PromptPage, Step};

/// Begins an authorization request (RFC 6749 section 4.1.1).
///
/// # Errors
/// An invalid client or redirect URI, or a store that does not answer. These errors are shown on a page, and the
/// browser is redirected nowhere. The client receives all others in an [`Answer`].
pub async fn begin(ctx: &Ctx, browser: &Browser, parameters: &Parameters) -> Result<Next, Error> {
    let (client, mut request) = match check::check(ctx, parameters).await? {
        check::CheckOutcome::Good(client, request) => (client, request),
        check::CheckOutcome::Refused(answer) => return Ok(Next::Answer(answer)),
    };
    let signed_in = browser_sessions::find(ctx, browser.session_cookie.as_ref()).await?;
    match progress::next_step(ctx, &client, &request, signed_in.as_ref(), Arrival::New).await? {
        Step::Issue => {
            let signed_in = signed_in.ok_or_else(progress::nobody)?;
            progress::issue(ctx, &client, &request, &signed_in, browser).await.map(Next::Answer)
        }
        Step::Refuse(error) => Ok(Next::Answer(Answer::refusal(ctx, &request, error))),
        Step::Prompt(ask) => {
            request.seen = signed_in.map(|on| (on.browser_session.id, on.browser_session.auth_time));
            Ok(Next::Prompt(ask, interaction::keep(ctx, browser, *request).await?))
        }
    }
}
