//! `/oauth2/logout`: signs a browser out for an application (OpenID Connect RP-Initiated Logout 1.0 section 2).

use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};

use super::cookies::BrowserCookies;
use super::logout::next;
use crate::authorize::Parameters;
use crate::http::Ctx;
use crate::http::error::PageRefusal;
use crate::http::pages::PageContext;
use crate::http::redirect::repeat_as_get;
use crate::logout;

/// Begins a logout that an application requests.
#[utoipa::path(get, path = "/oauth2/logout", tag = "OpenID Connect",
    params(("id_token_hint" = Option<String>, Query), ("logout_hint" = Option<String>, Query),
        ("client_id" = Option<String>, Query), ("post_logout_redirect_uri" = Option<String>, Query),
        ("state" = Option<String>, Query), ("ui_locales" = Option<String>, Query)),
    responses((status = 200, description = "a page"), (status = 303, description = "back to the application"),
        (status = 400, description = "a page")))]
pub async fn logout(
    ctx: Ctx,
    request: HttpRequest,
    cookies: BrowserCookies,
    page_context: PageContext,
) -> Result<HttpResponse, PageRefusal> {
    let parameters = Parameters::parse(request.query_string().as_bytes());
    let page_context = page_context.with_ui_locales(parameters.get("ui_locales"));
    let begun = logout::begin(&ctx, &cookies.browser, &parameters).await?;
    Ok(next(&ctx, &page_context, &cookies, begun))
}

/// Redirects a logout request by POST to the same request by GET.
///
/// A browser sends no cookies with a form of another site.
#[utoipa::path(post, path = "/oauth2/logout", tag = "OpenID Connect",
    responses((status = 303, description = "to the same by GET"), (status = 400, description = "a page")))]
pub async fn logout_by_post(ctx: Ctx, request: HttpRequest, payload: Payload) -> Result<HttpResponse, PageRefusal> {
    repeat_as_get(&ctx, "/oauth2/logout", request, payload).await
}
