//! `/logout`: asks whether the user wants to sign out, and shows the last page of every logout.

use actix_web::HttpResponse;

use super::cookies::BrowserCookies;
use super::form::{PageForm, is_own_form};
use crate::ctx;
use crate::http::Ctx;
use crate::http::error::PageRefusal;
use crate::http::pages::{
    LoggedOutPage, LogoutPage, PageContext, Problem, logout as question_page, signed_out as last_page,
};
use crate::http::redirect::see_other;
use crate::logout::{self, LogoutOutcome, Next, Question};

/// Asks whether the user wants to sign out.
#[utoipa::path(get, path = "/logout", tag = "Pages", responses((status = 200, description = "a page")))]
pub async fn show(ctx: Ctx, page_context: PageContext, cookies: BrowserCookies) -> Result<HttpResponse, PageRefusal> {
    let asked = logout::ask(&ctx, &cookies.browser).await?;
    Ok(next(&ctx, &page_context, &cookies, asked))
}

/// Handles the answer to the question.
#[utoipa::path(post, path = "/logout", tag = "Pages", responses((status = 200, description = "a page"),
    (status = 303, description = "the person stays signed in"), (status = 403, description = "a page")))]
pub async fn submit(
    ctx: Ctx,
    page_context: PageContext,
    cookies: BrowserCookies,
    form: PageForm,
) -> Result<HttpResponse, PageRefusal> {
    let PageForm(form) = form;
    if !is_own_form(&ctx, &cookies, &form)? {
        return Ok(match logout::ask(&ctx, &cookies.browser).await? {
            Next::Ask(question) => ask(&ctx, &page_context, &cookies, question, Some(Problem::PageWasOld)),
            Next::SignedOut(outcome) => say_goodbye(&ctx, &page_context, &cookies, outcome),
        });
    }
    if form.get("answer") == Some("stay") {
        return Ok(see_other(&ctx.config.path_to("/account")));
    }
    let outcome = logout::confirm(&ctx, &cookies.browser).await?;
    Ok(say_goodbye(&ctx, &page_context, &cookies, outcome))
}

#[must_use]
pub fn next(ctx: &ctx::Ctx, page_context: &PageContext, cookies: &BrowserCookies, next: Next) -> HttpResponse {
    match next {
        Next::Ask(question) => ask(ctx, page_context, cookies, question, None),
        Next::SignedOut(outcome) => say_goodbye(ctx, page_context, cookies, outcome),
    }
}

fn ask(
    ctx: &ctx::Ctx,
    page_context: &PageContext,
    cookies: &BrowserCookies,
    question: Question,
    problem: Option<Problem>,
) -> HttpResponse {
    let page = LogoutPage {
        csrf: cookies.browser.form_token(ctx),
        user: question.user,
        application: question.application,
        problem,
    };
    cookies.greet(ctx, question_page(page_context, &page))
}

/// Removes the cookie and shows the last page; redirects to the application where nothing has to be shown or loaded.
fn say_goodbye(
    ctx: &ctx::Ctx,
    page_context: &PageContext,
    cookies: &BrowserCookies,
    outcome: LogoutOutcome,
) -> HttpResponse {
    let answer = match outcome.back {
        Some(back) if outcome.frames.is_empty() && !outcome.is_pending => see_other(&back.address),
        back => {
            let (application, continue_to) = back.map(|back| (back.application, back.address)).unzip();
            let page =
                LoggedOutPage { application, continue_to, frames: outcome.frames, is_pending: outcome.is_pending };
            last_page(page_context, &page)
        }
    };
    cookies.signed_out(ctx, answer)
}
