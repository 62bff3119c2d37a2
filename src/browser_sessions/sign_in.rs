//! Signs a user in by the password alone.

use super::begin::{NewBrowserSession, begin};
use super::browser::Browser;
use crate::authentication::{Attempt, password};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::Secret;

/// Signs a user in in this browser. `None`: unknown user, disabled user, wrong password, or a user who needs more than
/// a password, for which there is no page yet. They are indistinguishable.
///
/// # Errors
/// [`Error::TooManyRequests`]; [`Error::Unavailable`] when a store or the hashing queue does not accept the attempt,
/// and then no browser session has begun.
pub async fn sign_in(
    ctx: &Ctx,
    browser: &Browser,
    identifier: &str,
    password: &Secret,
) -> Result<Option<NewBrowserSession>, Error> {
    let attempt = Attempt { identifier, password, address: browser.user_agent.address.as_deref() };
    match password::authenticate(ctx, attempt).await? {
        Some(authenticated) => begin(ctx, browser, authenticated).await,
        None => Ok(None),
    }
}
