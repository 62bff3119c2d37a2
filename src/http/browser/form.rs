//! Forms and queries that a user sends, and the check that a form came from a page of this server.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::cookies::BrowserCookies;
use crate::ctx;
use crate::http::error::{OAuthRefusal, PageRefusal};
use crate::http::form::Form;

/// A form that a user has sent. Where it cannot be read, the user sees an error page.
#[derive(Default)]
pub struct PageForm(pub(super) Form);

impl FromRequest for PageForm {
    type Error = PageRefusal;
    type Future = Pin<Box<dyn Future<Output = Result<Self, PageRefusal>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let form = Form::from_request(request, payload);
        Box::pin(async move { form.await.map(Self).map_err(|OAuthRefusal(error)| error.into()) })
    }
}

pub(super) fn query(request: &HttpRequest) -> Result<Form, PageRefusal> {
    Ok(Form::parse(request.query_string().as_bytes())?)
}

/// Returns whether a form came from a page of this server in this browser.
///
/// # Errors
/// [`PageRefusal::NoCookies`] when the browser keeps no cookies; showing the page again could not help.
pub(super) fn is_own_form(ctx: &ctx::Ctx, cookies: &BrowserCookies, form: &Form) -> Result<bool, PageRefusal> {
    if cookies.is_new() {
        return Err(PageRefusal::NoCookies);
    }
    Ok(cookies.browser.check_form_token(ctx, form.get("csrf")).is_ok())
}
