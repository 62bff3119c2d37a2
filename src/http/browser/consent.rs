//! `/consent`: the user accepts or denies what an application asks for.

use actix_web::{HttpRequest, HttpResponse};

use super::cookies::BrowserCookies;
use super::form::{PageForm, is_own_form, query};
use super::interaction::{Open, interaction_needed};
use crate::authorize::{Next, PromptPage, Step};
use crate::ctx;
use crate::error::Error;
use crate::http::Ctx;
use crate::http::error::PageRefusal;
use crate::http::pages::{Consent, PageContext, Problem, consent};
use crate::model::UserId;

/// Shows the consent page.
#[utoipa::path(get, path = "/consent", tag = "Pages", params(("interaction" = String, Query)),
    responses((status = 200, description = "a page"), (status = 303, description = "nothing is to be asked")))]
pub async fn show(
    ctx: Ctx,
    page_context: PageContext,
    request: HttpRequest,
    cookies: BrowserCookies,
) -> Result<HttpResponse, PageRefusal> {
    let open = interaction_needed(&ctx, &cookies, &query(&request)?).await?;
    match page(&ctx, &page_context, &cookies, &open, None) {
        Some(page) => Ok(page),
        None => open.go_on(&ctx, &page_context).await,
    }
}

/// Handles the answer to the consent page.
#[utoipa::path(post, path = "/consent", tag = "Pages",
    responses((status = 303, description = "answered"), (status = 403, description = "the page again")))]
pub async fn submit(
    ctx: Ctx,
    page_context: PageContext,
    cookies: BrowserCookies,
    form: PageForm,
) -> Result<HttpResponse, PageRefusal> {
    let PageForm(form) = form;
    let open = interaction_needed(&ctx, &cookies, &form).await?;
    let asked: Option<UserId> = form.get("user").and_then(|id| id.parse().ok());
    let (true, Some(asked)) = (is_own_form(&ctx, &cookies, &form)?, asked) else {
        return ask_again(&ctx, &page_context, &cookies, &open).await;
    };
    let next = match form.get("answer") {
        Some("accept") => open.interaction.allow(&ctx, asked).await,
        Some("deny") => open.interaction.deny(&ctx, asked).await,
        Some("other") => return Ok(open.other_account(&ctx)),
        Some(_) | None => return Err(Error::invalid_request("answer is `accept`, `deny` or `other`").into()),
    };
    match next.map_err(PageRefusal::of_an_interaction)? {
        // Another user has signed in than the one who was asked.
        Next::Prompt(PromptPage::Consent, _) => ask_again(&ctx, &page_context, &cookies, &open).await,
        next => Ok(open.show(&ctx, &page_context, next)),
    }
}

async fn ask_again(
    ctx: &ctx::Ctx,
    page_context: &PageContext,
    cookies: &BrowserCookies,
    open: &Open<'_>,
) -> Result<HttpResponse, PageRefusal> {
    match page(ctx, page_context, cookies, open, Some(Problem::PageWasOld)) {
        Some(page) => Ok(page),
        None => open.go_on(ctx, page_context).await,
    }
}

/// Renders the page, if the interaction is at this step.
fn page(
    ctx: &ctx::Ctx,
    page_context: &PageContext,
    cookies: &BrowserCookies,
    open: &Open<'_>,
    problem: Option<Problem>,
) -> Option<HttpResponse> {
    let signed_in =
        open.interaction.signed_in().filter(|_| open.interaction.step() == Step::Prompt(PromptPage::Consent))?;
    let page = Consent {
        interaction: Some(open.interaction.id().as_str().to_owned()),
        csrf: cookies.browser.form_token(ctx),
        application: open.application(),
        user: signed_in.user.username.clone(),
        user_id: signed_in.user.id.to_string(),
        scopes: open.interaction.request().to_agree_to().iter().map(str::to_owned).collect(),
        problem,
    };
    Some(consent(&open.page_context(page_context), &page))
}
