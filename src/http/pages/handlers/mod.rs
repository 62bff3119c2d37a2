//! The endpoints behind which the pages are: what a person sends in, handed to a rule; what the rule answers, shown.

pub mod account;
pub mod choice;
pub mod consent;
pub mod login;
pub mod logout;
pub mod password;

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, HttpResponse};

use super::{Application, PageContext, Problem};
use crate::authorize::{Interaction, Next, Request};
use crate::ctx;
use crate::error::{Error, Progress, with_causes};
use crate::http::browser_cookies::BrowserCookies;
use crate::http::error::{OAuthRefusal, PageRefusal};
use crate::http::form::Form;
use crate::http::oauth::authorize::{interaction_named, see_other, show};
use crate::model::Client;

/// A form that a person has filled in. When it cannot be read, they are told on a page.
#[derive(Default)]
pub struct PageForm(Form);

impl FromRequest for PageForm {
    type Error = PageRefusal;
    type Future = Pin<Box<dyn Future<Output = Result<Self, PageRefusal>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let form = Form::from_request(request, payload);
        Box::pin(async move { form.await.map(Self).map_err(|OAuthRefusal(error)| error.into()) })
    }
}

/// The query of an address.
fn query(request: &HttpRequest) -> Result<Form, PageRefusal> {
    Ok(Form::parse(request.query_string().as_bytes())?)
}

/// The interaction that a form or an address names.
async fn interaction<'b>(
    ctx: &ctx::Ctx,
    cookies: &'b BrowserCookies,
    form: &Form,
) -> Result<Option<Open<'b>>, PageRefusal> {
    let Some(id) = interaction_named(form.get("interaction"))? else { return Ok(None) };
    if cookies.is_new() {
        return Err(PageRefusal::NoCookies);
    }
    let opened = Interaction::open(ctx, &cookies.browser, id).await;
    Ok(Some(Open { interaction: opened.map_err(PageRefusal::of_an_interaction)? }))
}

/// The same, for a page that makes no sense without one.
async fn interaction_needed<'b>(
    ctx: &ctx::Ctx,
    cookies: &'b BrowserCookies,
    form: &Form,
) -> Result<Open<'b>, PageRefusal> {
    let none = || Error::invalid_request("this page belongs to an authorization, and the address names none");
    interaction(ctx, cookies, form).await?.ok_or_else(|| none().into())
}

/// An interaction that waits for a person, and its pages.
struct Open<'b> {
    interaction: Interaction<'b>,
}

impl Open<'_> {
    /// The look of its pages.
    fn page_context(&self, page_context: &PageContext) -> PageContext {
        page_context.clone().with_ui_locales(self.interaction.request().ui_locales.as_deref())
    }

    fn application(&self) -> Application {
        application(self.interaction.client(), Some(self.interaction.request()))
    }

    /// Goes on to whatever comes next: another page, or back to the application.
    async fn go_on(&self, ctx: &ctx::Ctx, page_context: &PageContext) -> Result<HttpResponse, PageRefusal> {
        let next = self.interaction.resume(ctx).await.map_err(PageRefusal::of_an_interaction)?;
        Ok(self.show(ctx, page_context, next))
    }

    /// Shows what comes next.
    fn show(&self, ctx: &ctx::Ctx, page_context: &PageContext, next: Next) -> HttpResponse {
        show(ctx, &self.page_context(page_context), next)
    }

    /// Goes on to the sign-in page, whoever is signed in.
    fn other_account(&self, ctx: &ctx::Ctx) -> HttpResponse {
        see_other(&ctx.config.path_to(&format!("/login?interaction={}&account=other", self.interaction.id().as_str())))
    }
}

fn application(client: &Client, request: Option<&Request>) -> Application {
    Application {
        name: client.name.clone(),
        logo_uri: client.sign_on.logo_uri.clone(),
        client_uri: client.sign_on.client_uri.clone(),
        policy_uri: client.sign_on.policy_uri.clone(),
        tos_uri: client.sign_on.tos_uri.clone(),
        verified: !client.sign_on.unverified,
        redirect_uri: request.map(|request| request.return_to.redirect_uri().to_owned()),
    }
}

/// Whether a form came from a page of ours in this browser.
///
/// # Errors
/// When the browser keeps no cookies; then no page could help.
fn is_own_form(ctx: &ctx::Ctx, cookies: &BrowserCookies, form: &Form) -> Result<bool, PageRefusal> {
    if cookies.is_new() {
        return Err(PageRefusal::NoCookies);
    }
    Ok(cookies.browser.check_form_token(ctx, form.get("csrf")).is_ok())
}

/// What a person can do about an error, if trying again is any use.
fn problem_of(error: Error) -> Result<Problem, PageRefusal> {
    match error {
        Error::TooManyRequests(wait) => Ok(Problem::TooManyTries(wait)),
        Error::Unavailable(away) if away.progress == Progress::NotBegun => {
            tracing::error!(cause = with_causes(&away), "a page could not be answered");
            Ok(Problem::Unavailable(away.retry_after))
        }
        other => Err(other.into()),
    }
}
