//! `/login`: sign-in with user name and password.

use actix_web::{HttpRequest, HttpResponse};

use super::cookies::BrowserCookies;
use super::errors::problem_of;
use super::form::{PageForm, is_own_form, query};
use super::interaction::{Open, interaction};
use crate::authorize::{PromptPage, Step};
use crate::browser_sessions::{self, NewBrowserSession};
use crate::ctx;
use crate::http::Ctx;
use crate::http::error::PageRefusal;
use crate::http::form::Form;
use crate::http::pages::{PageContext, Problem, SignIn, sign_in};
use crate::http::redirect::see_other;

/// Shows the sign-in page.
#[utoipa::path(get, path = "/login", tag = "Pages", params(("interaction" = Option<String>, Query)),
    responses((status = 200, description = "a page"), (status = 303, description = "nothing is to be asked")))]
pub async fn show(
    ctx: Ctx,
    page_context: PageContext,
    request: HttpRequest,
    cookies: BrowserCookies,
) -> Result<HttpResponse, PageRefusal> {
    let query = query(&request)?;
    let other = query.get("account") == Some("other");
    let open = interaction(&ctx, &cookies, &query).await?;
    match &open {
        Some(open) if open.interaction.step() != Step::Prompt(PromptPage::SignIn) && !other => {
            open.go_on(&ctx, &page_context).await
        }
        None if browser_sessions::find(&ctx, cookies.browser.session_cookie.as_ref()).await?.is_some() => {
            Ok(see_other(&ctx.config.path_to("/account")))
        }
        Some(_) | None => {
            let asked = Question { open: open.as_ref(), other, typed: None, problem: None };
            Ok(cookies.greet(&ctx, asked.page(&ctx, &page_context, &cookies)))
        }
    }
}

/// Handles the sign-in form.
#[utoipa::path(post, path = "/login", tag = "Pages",
    responses((status = 303, description = "signed in"), (status = 403, description = "the page again"), (status = 429), (status = 503)))]
pub async fn submit(
    ctx: Ctx,
    page_context: PageContext,
    cookies: BrowserCookies,
    form: PageForm,
) -> Result<HttpResponse, PageRefusal> {
    let PageForm(form) = form;
    let open = interaction(&ctx, &cookies, &form).await?;
    match attempt(&ctx, &cookies, &form).await? {
        Ok(new) => {
            let onward = match &open {
                Some(open) => format!("/oauth2/authorize/{}", open.interaction.id().as_str()),
                None => "/account".to_owned(),
            };
            Ok(cookies.signed_in(&ctx, see_other(&ctx.config.path_to(&onward)), &new))
        }
        Err(problem) => {
            let typed = form.get("username");
            let asked = Question { open: open.as_ref(), other: false, typed, problem: Some(problem) };
            Ok(asked.page(&ctx, &page_context, &cookies))
        }
    }
}

async fn attempt(
    ctx: &ctx::Ctx,
    cookies: &BrowserCookies,
    form: &Form,
) -> Result<Result<NewBrowserSession, Problem>, PageRefusal> {
    if !is_own_form(ctx, cookies, form)? {
        return Ok(Err(Problem::PageWasOld));
    }
    let (Some(username), Some(password)) = (form.get("username"), form.secret("password")) else {
        return Ok(Err(Problem::Missing));
    };
    match browser_sessions::sign_in(ctx, &cookies.browser, username, &password).await {
        Ok(Some(new)) => Ok(Ok(new)),
        Ok(None) => Ok(Err(Problem::WrongPassword)),
        Err(error) => problem_of(error).map(Err),
    }
}

struct Question<'a> {
    open: Option<&'a Open<'a>>,
    /// The user wants another account than the one that is signed in.
    other: bool,
    typed: Option<&'a str>,
    problem: Option<Problem>,
}

impl Question<'_> {
    fn page(&self, ctx: &ctx::Ctx, page_context: &PageContext, cookies: &BrowserCookies) -> HttpResponse {
        let request = self.open.map(|open| open.interaction.request());
        let signed_in = self.open.and_then(|open| open.interaction.signed_in()).filter(|_| !self.other);
        // An application that names another user does not want the password of this one.
        let again = signed_in.filter(|_| request.is_some_and(|request| request.subject.is_none()));
        let known = again.map(|signed_in| signed_in.user.username.as_str());
        let hinted = request.and_then(|request| request.login_hint.as_deref()).filter(|_| !self.other);
        let page = SignIn {
            interaction: self.open.map(|open| open.interaction.id().as_str().to_owned()),
            csrf: cookies.browser.form_token(ctx),
            application: self.open.map(Open::application),
            hint: self.typed.or(known).or(hinted).map(str::to_owned),
            again: again.is_some(),
            problem: self.problem,
        };
        match self.open {
            Some(open) => sign_in(&open.page_context(page_context), &page),
            None => sign_in(page_context, &page),
        }
    }
}
