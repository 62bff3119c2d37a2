//! Changes the password of the signed-in user.

use super::begin::NewBrowserSession;
use super::browser::Browser;
use super::sign_in::sign_in;
use crate::authentication::{Attempt, password};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{Secret, User};
use crate::passwords::{self, PolicyViolation};
use crate::users;

#[derive(Debug)]
pub enum PasswordChange {
    /// The password is changed, everything that began under the previous one is over, and this browser has a new
    /// browser session.
    Yes(Box<NewBrowserSession>),
    /// The password is changed, and the user has to sign in with it in this browser.
    YesButSignedOut,
    NotProven,
    PolicyViolation(PolicyViolation),
}

/// Changes the password of the user who is signed in in this browser. The current password is required, and its check
/// counts as a sign-in attempt, so that a stranger who finds the browser open cannot take over the account.
///
/// # Errors
/// [`Error::TooManyRequests`]; [`Error::Unavailable`] when a store or the hashing queue does not accept the attempt.
pub async fn change_password(
    ctx: &Ctx,
    browser: &Browser,
    user: &User,
    current: &Secret,
    new: &Secret,
) -> Result<PasswordChange, Error> {
    if let Err(violation) = passwords::may_be_chosen(new, &user.username, &ctx.config.passwords) {
        return Ok(PasswordChange::PolicyViolation(violation));
    }
    let address = browser.user_agent.address.as_deref();
    let attempt = Attempt { identifier: &user.username, password: current, address };
    let Some(proven) = password::verify(ctx, attempt).await?.filter(|proven| proven.user().id == user.id) else {
        return Ok(PasswordChange::NotProven);
    };
    proven.clear_attempts(ctx).await?;
    if users::change_own_password(ctx, &proven.proven_password(), new).await?.is_none() {
        return Ok(PasswordChange::NotProven);
    }
    match sign_in(ctx, browser, &user.username, new).await {
        Ok(Some(browser_session)) => Ok(PasswordChange::Yes(Box::new(browser_session))),
        // The password is changed already; a later failure must not look as if it were not.
        Ok(None) | Err(_) => Ok(PasswordChange::YesButSignedOut),
    }
}
