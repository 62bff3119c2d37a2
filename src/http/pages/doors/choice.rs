//! `/login/account`: this account, or another?

use actix_web::{HttpRequest, HttpResponse};

use super::{Filled, Open, is_own_form, query, transaction_needed};
use crate::authorize::{self, Ask, Step};
use crate::ctx;
use crate::http::Ctx;
use crate::http::error::PageRefusal;
use crate::http::oauth::authorize::show as show_next;
use crate::http::pages::{ChooseAccount, Look, Problem, choose_account};
use crate::http::visitor::Visitor;
use crate::protocol::OAuthError;

/// The page.
#[utoipa::path(get, path = "/login/account", tag = "Pages", params(("transaction" = String, Query)),
    responses((status = 200, description = "a page"), (status = 303, description = "nothing is to be asked")))]
pub async fn show(ctx: Ctx, look: Look, request: HttpRequest, visitor: Visitor) -> Result<HttpResponse, PageRefusal> {
    let open = transaction_needed(&ctx, &visitor, &query(&request)?).await?;
    match page(&ctx, &look, &visitor, &open, None) {
        Some(page) => Ok(page),
        None => open.go_on(&ctx, &look, &visitor).await,
    }
}

/// The form.
#[utoipa::path(post, path = "/login/account", tag = "Pages",
    responses((status = 303, description = "chosen"), (status = 403, description = "the page again")))]
pub async fn submit(ctx: Ctx, look: Look, visitor: Visitor, form: Filled) -> Result<HttpResponse, PageRefusal> {
    let Filled(form) = form;
    let open = transaction_needed(&ctx, &visitor, &form).await?;
    if !is_own_form(&ctx, &visitor, &form)? {
        return match page(&ctx, &look, &visitor, &open, Some(Problem::PageWasOld)) {
            Some(page) => Ok(page),
            None => open.go_on(&ctx, &look, &visitor).await,
        };
    }
    match form.get("account") {
        Some("same") => {
            let next = authorize::keep_account(&ctx, &visitor.browser, &open.id).await;
            Ok(show_next(&ctx, &open.look(&look), next.map_err(PageRefusal::of_a_transaction)?))
        }
        Some("other") => Ok(open.other_account(&ctx)),
        Some(_) | None => Err(OAuthError::invalid_request("account is `same` or `other`").into()),
    }
}

/// The page, if this is what has to be asked.
fn page(ctx: &ctx::Ctx, look: &Look, visitor: &Visitor, open: &Open, problem: Option<Problem>) -> Option<HttpResponse> {
    let signed_in = open.view.signed_in.as_ref().filter(|_| open.view.step == Step::Ask(Ask::Account))?;
    let page = ChooseAccount {
        transaction: Some(open.id.as_str().to_owned()),
        csrf: visitor.browser.form_token(ctx),
        application: Some(open.application()),
        user: signed_in.user.username.clone(),
        problem,
    };
    Some(choose_account(&open.look(look), &page))
}
