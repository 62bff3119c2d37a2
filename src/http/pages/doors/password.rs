//! `/account/password`: another password, for who knows the current one.

use actix_web::HttpResponse;

use super::account::{Asked, about, asked, done, sign_in_first};
use super::{Filled, problem_of};
use crate::browser_sessions::{self, Changed, LiveBrowserSession};
use crate::ctx;
use crate::http::Ctx;
use crate::http::error::PageRefusal;
use crate::http::form::Form;
use crate::http::pages::{Account, Done, Look, PasswordProblem, account};
use crate::http::visitor::Visitor;
use crate::passwords::Unfit;

/// The form.
#[utoipa::path(post, path = "/account/password", tag = "Pages",
    responses((status = 303, description = "changed"), (status = 400, description = "the page again"), (status = 403), (status = 429), (status = 503)))]
pub async fn submit(ctx: Ctx, look: Look, visitor: Visitor, form: Filled) -> Result<HttpResponse, PageRefusal> {
    let (me, form) = match asked(&ctx, &look, &visitor, form).await? {
        Asked::By(me, form) => (me, form),
        Asked::InVain(answer) => return Ok(answer),
    };
    let problem = match change(&ctx, &visitor, &me, &form).await? {
        Ok(Changed::Yes(new)) => return Ok(visitor.signed_in(&ctx, done(&ctx, Done::PasswordChanged), &new)),
        Ok(Changed::YesButSignedOut) => return Ok(visitor.signed_out(&ctx, sign_in_first(&ctx))),
        Ok(Changed::NotProven) => PasswordProblem::WrongCurrent,
        Ok(Changed::Unfit(unfit)) => problem_with(unfit),
        Err(problem) => problem,
    };
    let page = Account { problem: Some(problem), ..about(&ctx, &visitor, &me).await? };
    Ok(account(&look, &page))
}

async fn change(
    ctx: &ctx::Ctx,
    visitor: &Visitor,
    me: &LiveBrowserSession,
    form: &Form,
) -> Result<Result<Changed, PasswordProblem>, PageRefusal> {
    let fields = ["current_password", "new_password", "new_password_again"].map(|name| form.secret(name));
    let [Some(current), Some(new), Some(again)] = fields else {
        return Ok(Err(PasswordProblem::Missing));
    };
    if new.expose() != again.expose() {
        return Ok(Err(PasswordProblem::NotTheSame));
    }
    match browser_sessions::change_password(ctx, &visitor.browser, &me.user, &current, &new).await {
        Ok(changed) => Ok(Ok(changed)),
        Err(error) => problem_of(error).map(|problem| Err(PasswordProblem::Other(problem))),
    }
}

const fn problem_with(unfit: Unfit) -> PasswordProblem {
    match unfit {
        Unfit::TooShort(least) => PasswordProblem::TooShort(least),
        Unfit::TooLong => PasswordProblem::TooLong,
        Unfit::UserName => PasswordProblem::LikeTheName,
        Unfit::Common => PasswordProblem::Common,
    }
}
