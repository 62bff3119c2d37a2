//! A person changes their own password.

use super::begin::NewBrowserSession;
use super::browser::Browser;
use super::sign_in::sign_in;
use crate::authentication::{Attempt, password};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{Secret, User};
use crate::passwords::{self, PolicyViolation};
use crate::users;

/// What became of it.
#[derive(Debug)]
pub enum PasswordChange {
    /// The password is another one, everything that began under the previous is over, and this browser is signed in
    /// anew.
    Yes(Box<NewBrowserSession>),
    /// The password is another one, and this browser has to sign in with it.
    YesButSignedOut,
    /// The current password is not the one that was typed.
    NotProven,
    /// The new one may not be chosen.
    PolicyViolation(PolicyViolation),
}

/// Changes the password of the person who is signed in in this browser. The current one is asked for, and counted among
/// the attempts to sign in: whoever finds the browser open must not keep the account.
///
/// # Errors
/// [`Error::TooManyRequests`]; [`Error::Unavailable`] when a store or the hashing queue does not take it.
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
        // It is changed already; that the rest failed must not look as if it were not.
        Ok(None) | Err(_) => Ok(PasswordChange::YesButSignedOut),
    }
}
