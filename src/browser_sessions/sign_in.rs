//! A user signs in in a browser by the password alone.

use super::begin::{NewBrowserSession, begin};
use super::browser::Browser;
use crate::authentication::{Attempt, password};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::Secret;

/// Signs a user in in this browser. `None`: unknown, disabled and wrong look alike, and so does a user for whom the
/// password is not enough, as long as no page asks for more.
///
/// # Errors
/// [`Error::TooManyRequests`]; [`Error::Unavailable`] when a store or the hashing queue does not take it, and
/// then no browser session has begun.
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
