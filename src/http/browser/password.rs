//! `/account/password`: changes the password of a user who knows the current one.

use actix_web::HttpResponse;

use super::account::{AccountForm, about, asked, done, sign_in_first};
use super::cookies::BrowserCookies;
use super::errors::problem_of;
use super::form::PageForm;
use crate::browser_sessions::{self, LiveBrowserSession, PasswordChange};
use crate::ctx;
use crate::http::Ctx;
use crate::http::error::PageRefusal;
use crate::http::form::Form;
use crate::http::pages::{Account, AccountNotice, PageContext, PasswordProblem, account};
use crate::passwords::PolicyViolation;

/// Handles the form for a new password.
#[utoipa::path(post, path = "/account/password", tag = "Pages",
    responses((status = 303, description = "changed"), (status = 400, description = "the page again"), (status = 403), (status = 429), (status = 503)))]
pub async fn submit(
    ctx: Ctx,
    page_context: PageContext,
    cookies: BrowserCookies,
    form: PageForm,
) -> Result<HttpResponse, PageRefusal> {
    let (me, form) = match asked(&ctx, &page_context, &cookies, form).await? {
        AccountForm::Accepted(me, form) => (me, form),
        AccountForm::Answered(answer) => return Ok(answer),
    };
    let problem = match change(&ctx, &cookies, &me, &form).await? {
        Ok(PasswordChange::Yes(new)) => {
            return Ok(cookies.signed_in(&ctx, done(&ctx, AccountNotice::PasswordChanged), &new));
        }
        Ok(PasswordChange::YesButSignedOut) => return Ok(cookies.signed_out(&ctx, sign_in_first(&ctx))),
        Ok(PasswordChange::NotProven) => PasswordProblem::WrongCurrent,
        Ok(PasswordChange::PolicyViolation(violation)) => problem_with(violation),
        Err(problem) => problem,
    };
    let page = Account { problem: Some(problem), ..about(&ctx, &cookies, &me).await? };
    Ok(account(&page_context, &page))
}

async fn change(
    ctx: &ctx::Ctx,
    cookies: &BrowserCookies,
    me: &LiveBrowserSession,
    form: &Form,
) -> Result<Result<PasswordChange, PasswordProblem>, PageRefusal> {
    let fields = ["current_password", "new_password", "new_password_again"].map(|name| form.secret(name));
    let [Some(current), Some(new), Some(again)] = fields else {
        return Ok(Err(PasswordProblem::Missing));
    };
    if new.expose() != again.expose() {
        return Ok(Err(PasswordProblem::NotTheSame));
    }
    match browser_sessions::change_password(ctx, &cookies.browser, &me.user, &current, &new).await {
        Ok(changed) => Ok(Ok(changed)),
        Err(error) => problem_of(error).map(|problem| Err(PasswordProblem::Other(problem))),
    }
}

const fn problem_with(violation: PolicyViolation) -> PasswordProblem {
    match violation {
        PolicyViolation::TooShort(least) => PasswordProblem::TooShort(least),
        PolicyViolation::TooLong => PasswordProblem::TooLong,
        PolicyViolation::UserName => PasswordProblem::LikeTheName,
        PolicyViolation::Common => PasswordProblem::Common,
    }
}
