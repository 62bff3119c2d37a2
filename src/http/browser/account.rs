//! `/account`: where the user is signed in, and which applications have access.

use actix_web::{HttpRequest, HttpResponse};

use super::cookies::BrowserCookies;
use super::form::{PageForm, is_own_form, query};
use super::interaction::application;
use crate::authorize::{self, connected_applications};
use crate::browser_sessions::{self, LiveBrowserSession};
use crate::ctx;
use crate::error::Error;
use crate::http::Ctx;
use crate::http::error::PageRefusal;
use crate::http::form::Form;
use crate::http::pages::{
    Account, AccountNotice, Application, ConnectedApplication, PageContext, Problem, SignedInBrowser, account,
};
use crate::http::redirect::see_other;
use crate::model::ClientId;

/// Shows the account page.
#[utoipa::path(get, path = "/account", tag = "Pages",
    responses((status = 200, description = "a page"), (status = 303, description = "sign in first")))]
pub async fn show(
    ctx: Ctx,
    page_context: PageContext,
    request: HttpRequest,
    cookies: BrowserCookies,
) -> Result<HttpResponse, PageRefusal> {
    let done = query(&request)?.get("done").and_then(AccountNotice::named);
    let Some(me) = browser_sessions::find(&ctx, cookies.browser.session_cookie.as_ref()).await? else {
        return Ok(sign_in_first(&ctx));
    };
    let page = Account { done, ..about(&ctx, &cookies, &me).await? };
    Ok(cookies.greet(&ctx, account(&page_context, &page)))
}

/// Ends one browser session of the signed-in user.
#[utoipa::path(post, path = "/account/browser-sessions/end", tag = "Pages", responses((status = 303), (status = 403)))]
pub async fn end_browser_session(
    ctx: Ctx,
    page_context: PageContext,
    cookies: BrowserCookies,
    form: PageForm,
) -> Result<HttpResponse, PageRefusal> {
    let (me, form) = match asked(&ctx, &page_context, &cookies, form).await? {
        AccountForm::Accepted(me, form) => (me, form),
        AccountForm::Answered(answer) => return Ok(answer),
    };
    if let Some(named) = form.get("browser_session").and_then(|id| id.parse().ok()) {
        browser_sessions::end_own(&ctx, me.user.id, named).await?;
    }
    Ok(done(&ctx, AccountNotice::BrowserSessionEnded))
}

/// Ends every browser session of the user except this one.
#[utoipa::path(post, path = "/account/browser-sessions/end-others", tag = "Pages", responses((status = 303), (status = 403)))]
pub async fn end_others(
    ctx: Ctx,
    page_context: PageContext,
    cookies: BrowserCookies,
    form: PageForm,
) -> Result<HttpResponse, PageRefusal> {
    match asked(&ctx, &page_context, &cookies, form).await? {
        AccountForm::Accepted(me, _) => {
            browser_sessions::end_others(&ctx, me.user.id, me.browser_session.id).await?;
            Ok(done(&ctx, AccountNotice::OthersEnded))
        }
        AccountForm::Answered(answer) => Ok(answer),
    }
}

/// Withdraws the access of an application.
#[utoipa::path(post, path = "/account/applications/withdraw", tag = "Pages", responses((status = 303), (status = 403)))]
pub async fn withdraw(
    ctx: Ctx,
    page_context: PageContext,
    cookies: BrowserCookies,
    form: PageForm,
) -> Result<HttpResponse, PageRefusal> {
    let (me, form) = match asked(&ctx, &page_context, &cookies, form).await? {
        AccountForm::Accepted(me, form) => (me, form),
        AccountForm::Answered(answer) => return Ok(answer),
    };
    let client: Option<ClientId> = form.get("client").and_then(|id| id.parse().ok());
    let client = client.ok_or_else(|| Error::invalid_request("client is missing"))?;
    authorize::withdraw(&ctx, me.user.id, &client).await?;
    Ok(done(&ctx, AccountNotice::Withdrawn))
}

pub(super) enum AccountForm {
    /// The signed-in user has sent the form from a page of this server.
    Accepted(Box<LiveBrowserSession>, Form),
    /// The form is not accepted; this response is shown instead.
    Answered(HttpResponse),
}

/// Checks that a signed-in user has sent the form from a page of this server.
pub(super) async fn asked(
    ctx: &ctx::Ctx,
    page_context: &PageContext,
    cookies: &BrowserCookies,
    PageForm(form): PageForm,
) -> Result<AccountForm, PageRefusal> {
    let is_own = is_own_form(ctx, cookies, &form)?;
    let Some(me) = browser_sessions::find(ctx, cookies.browser.session_cookie.as_ref()).await? else {
        return Ok(AccountForm::Answered(sign_in_first(ctx)));
    };
    if is_own {
        return Ok(AccountForm::Accepted(Box::new(me), form));
    }
    let page = Account { stopped: Some(Problem::PageWasOld), ..about(ctx, cookies, &me).await? };
    Ok(AccountForm::Answered(account(page_context, &page)))
}

pub(super) async fn about(ctx: &ctx::Ctx, cookies: &BrowserCookies, me: &LiveBrowserSession) -> Result<Account, Error> {
    let browser_sessions = browser_sessions::of_user(ctx, me.user.id).await?;
    let applications = connected_applications(ctx, me.user.id).await?;
    Ok(Account {
        csrf: cookies.browser.form_token(ctx),
        user: me.user.username.clone(),
        browser_sessions: browser_sessions
            .into_iter()
            .map(|browser_session| SignedInBrowser {
                id: browser_session.id.to_string(),
                is_this: browser_session.id == me.browser_session.id,
                user_agent: browser_session.user_agent,
                since: browser_session.created_at,
                last_used: browser_session.last_used_at,
            })
            .collect(),
        applications: applications
            .into_iter()
            .map(|entry| ConnectedApplication {
                id: entry.client.id.to_string(),
                // The host of a logo would learn that the user opened this page.
                application: Application { logo_uri: None, ..application(&entry.client, None) },
                scopes: entry.scope.iter().map(str::to_owned).collect(),
                since: entry.since,
                last_used: entry.last_used,
            })
            .collect(),
        minimum_length: ctx.config.passwords.minimum_length,
        now: ctx.now(),
        ..Account::default()
    })
}

/// Redirects to the page, which shows the notice. A reload does not repeat the action.
pub(super) fn done(ctx: &ctx::Ctx, what: AccountNotice) -> HttpResponse {
    see_other(&ctx.config.path_to(&format!("/account?done={}", what.name())))
}

pub(super) fn sign_in_first(ctx: &ctx::Ctx) -> HttpResponse {
    see_other(&ctx.config.path_to("/login"))
}
