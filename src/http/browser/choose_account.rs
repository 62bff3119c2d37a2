//! `/login/account`: the choice between the signed-in account and another one.

use actix_web::{HttpRequest, HttpResponse};

use super::cookies::BrowserCookies;
use super::form::{PageForm, is_own_form, query};
use super::interaction::{Open, interaction_needed};
use super::next::show as show_next;
use crate::authorize::{PromptPage, Step};
use crate::ctx;
use crate::error::Error;
use crate::http::Ctx;
use crate::http::error::PageRefusal;
use crate::http::pages::{ChooseAccount, PageContext, Problem, choose_account};

/// Shows the page for choosing an account.
#[utoipa::path(get, path = "/login/account", tag = "Pages", params(("interaction" = String, Query)),
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

/// Handles the choice of an account.
#[utoipa::path(post, path = "/login/account", tag = "Pages",
    responses((status = 303, description = "chosen"), (status = 403, description = "the page again")))]
pub async fn submit(
    ctx: Ctx,
    page_context: PageContext,
    cookies: BrowserCookies,
    form: PageForm,
) -> Result<HttpResponse, PageRefusal> {
    let PageForm(form) = form;
    let open = interaction_needed(&ctx, &cookies, &form).await?;
    if !is_own_form(&ctx, &cookies, &form)? {
        return match page(&ctx, &page_context, &cookies, &open, Some(Problem::PageWasOld)) {
            Some(page) => Ok(page),
            None => open.go_on(&ctx, &page_context).await,
        };
    }
    match form.get("account") {
        Some("same") => {
            let page_context = open.page_context(&page_context);
            let next = open.interaction.keep_account(&ctx).await.map_err(PageRefusal::of_an_interaction)?;
            Ok(show_next(&ctx, &page_context, next))
        }
        Some("other") => Ok(open.other_account(&ctx)),
        Some(_) | None => Err(Error::invalid_request("account is `same` or `other`").into()),
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
        open.interaction.signed_in().filter(|_| open.interaction.step() == Step::Prompt(PromptPage::Account))?;
    let page = ChooseAccount {
        interaction: Some(open.interaction.id().as_str().to_owned()),
        csrf: cookies.browser.form_token(ctx),
        application: Some(open.application()),
        user: signed_in.user.username.clone(),
        problem,
    };
    Some(choose_account(&open.page_context(page_context), &page))
}
