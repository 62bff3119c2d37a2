//! The interaction behind a page: opens it, shows its pages and continues it.

use actix_web::HttpResponse;

use super::cookies::BrowserCookies;
use super::next::show;
use crate::authorize::{Interaction, InteractionId, Next, Request};
use crate::ctx;
use crate::error::Error;
use crate::http::error::PageRefusal;
use crate::http::form::Form;
use crate::http::pages::{Application, PageContext};
use crate::http::redirect::see_other;
use crate::model::Client;

/// Parses the identifier of an interaction; `invalid_request` where it is malformed.
fn interaction_named(name: Option<&str>) -> Result<Option<InteractionId>, Error> {
    name.map(|name| InteractionId::try_from(name.to_owned())).transpose()
}

/// Opens the interaction that a form or a query names; `None` where it names none.
pub(super) async fn interaction<'b>(
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

/// Opens the interaction of a page that requires one.
pub(super) async fn interaction_needed<'b>(
    ctx: &ctx::Ctx,
    cookies: &'b BrowserCookies,
    form: &Form,
) -> Result<Open<'b>, PageRefusal> {
    let none = || Error::invalid_request("this page belongs to an authorization request, and the address names none");
    interaction(ctx, cookies, form).await?.ok_or_else(|| none().into())
}

pub(super) struct Open<'b> {
    pub(super) interaction: Interaction<'b>,
}

impl Open<'_> {
    /// Returns the page context in the language that the interaction asks for.
    pub(super) fn page_context(&self, page_context: &PageContext) -> PageContext {
        page_context.clone().with_ui_locales(self.interaction.request().ui_locales.as_deref())
    }

    pub(super) fn application(&self) -> Application {
        application(self.interaction.client(), Some(self.interaction.request()))
    }

    /// Continues with the next step: another page, or back to the application.
    pub(super) async fn go_on(&self, ctx: &ctx::Ctx, page_context: &PageContext) -> Result<HttpResponse, PageRefusal> {
        let next = self.interaction.resume(ctx).await.map_err(PageRefusal::of_an_interaction)?;
        Ok(self.show(ctx, page_context, next))
    }

    pub(super) fn show(&self, ctx: &ctx::Ctx, page_context: &PageContext, next: Next) -> HttpResponse {
        show(ctx, &self.page_context(page_context), next)
    }

    /// Redirects to the sign-in page, even where a user is signed in.
    pub(super) fn other_account(&self, ctx: &ctx::Ctx) -> HttpResponse {
        see_other(&ctx.config.path_to(&format!("/login?interaction={}&account=other", self.interaction.id().as_str())))
    }
}

pub(super) fn application(client: &Client, request: Option<&Request>) -> Application {
    Application {
        name: client.name().to_owned(),
        logo_uri: client.metadata.logo_uri.clone(),
        client_uri: client.metadata.client_uri.clone(),
        policy_uri: client.metadata.policy_uri.clone(),
        tos_uri: client.metadata.tos_uri.clone(),
        verified: !client.metadata.unverified,
        redirect_uri: request.map(|request| request.return_to.redirect_uri().to_owned()),
    }
}
