//! An interaction that waits for a person: the authorization request behind a page, and the way on from there.

use actix_web::HttpResponse;

use super::cookies::BrowserCookies;
use super::next::show;
use crate::authorize::{self, InteractionId, Request, View};
use crate::ctx;
use crate::error::Error;
use crate::http::error::PageRefusal;
use crate::http::form::Form;
use crate::http::pages::{Application, PageContext};
use crate::http::redirect::see_other;
use crate::model::Client;

/// The interaction that a form or an address names.
///
/// # Errors
/// `invalid_request` when it is none.
fn interaction_named(name: Option<&str>) -> Result<Option<InteractionId>, Error> {
    name.map(|name| InteractionId::try_from(name.to_owned())).transpose()
}

/// The interaction that a form or an address names, and what its page shows.
pub(super) async fn interaction(
    ctx: &ctx::Ctx,
    cookies: &BrowserCookies,
    form: &Form,
) -> Result<Option<Open>, PageRefusal> {
    let Some(id) = interaction_named(form.get("interaction"))? else { return Ok(None) };
    if cookies.is_new() {
        return Err(PageRefusal::NoCookies);
    }
    let view = authorize::view(ctx, &cookies.browser, &id).await.map_err(PageRefusal::of_an_interaction)?;
    Ok(Some(Open { id, view }))
}

/// The same, for a page that makes no sense without one.
pub(super) async fn interaction_needed(
    ctx: &ctx::Ctx,
    cookies: &BrowserCookies,
    form: &Form,
) -> Result<Open, PageRefusal> {
    let none = || Error::invalid_request("this page belongs to an authorization request, and the address names none");
    interaction(ctx, cookies, form).await?.ok_or_else(|| none().into())
}

/// An interaction that waits for a person.
pub(super) struct Open {
    pub(super) id: InteractionId,
    pub(super) view: View,
}

impl Open {
    /// The look of its pages.
    pub(super) fn page_context(&self, page_context: &PageContext) -> PageContext {
        page_context.clone().with_ui_locales(self.view.request.ui_locales.as_deref())
    }

    pub(super) fn application(&self) -> Application {
        application(&self.view.client, Some(&self.view.request))
    }

    /// Goes on to whatever comes next: another page, or back to the application.
    pub(super) async fn go_on(
        &self,
        ctx: &ctx::Ctx,
        page_context: &PageContext,
        cookies: &BrowserCookies,
    ) -> Result<HttpResponse, PageRefusal> {
        let next = authorize::resume(ctx, &cookies.browser, &self.id).await.map_err(PageRefusal::of_an_interaction)?;
        Ok(show(ctx, &self.page_context(page_context), next))
    }

    /// Goes on to the sign-in page, whoever is signed in.
    pub(super) fn other_account(&self, ctx: &ctx::Ctx) -> HttpResponse {
        see_other(&ctx.config.path_to(&format!("/login?interaction={}&account=other", self.id.as_str())))
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
        redirect_uri: request.map(|request| request.return_to.redirect_uri.clone()),
    }
}
