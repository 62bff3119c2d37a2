//! `/oauth2/authorize` (RFC 6749 section 3.1, OpenID Connect Core 1.0 section 3.1.2), and the address to which the
//! browser returns from a page.

use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse};

use super::cookies::BrowserCookies;
use super::next::show;
use crate::authorize::{self, Interaction, InteractionId, Parameters};
use crate::http::Ctx;
use crate::http::error::PageRefusal;
use crate::http::pages::PageContext;
use crate::http::redirect::repeat_as_get;

/// Begins an authorization request.
#[utoipa::path(get, path = "/oauth2/authorize", tag = "OpenID Connect",
    params(("response_type" = String, Query), ("client_id" = String, Query), ("redirect_uri" = String, Query),
        ("scope" = Option<String>, Query), ("state" = Option<String>, Query), ("nonce" = Option<String>, Query),
        ("code_challenge" = Option<String>, Query), ("code_challenge_method" = Option<String>, Query),
        ("prompt" = Option<String>, Query), ("max_age" = Option<u64>, Query), ("response_mode" = Option<String>, Query)),
    responses((status = 303, description = "to a page, or back to the application"), (status = 400, description = "a page")))]
pub async fn authorize(
    ctx: Ctx,
    page_context: PageContext,
    request: HttpRequest,
    cookies: BrowserCookies,
) -> Result<HttpResponse, PageRefusal> {
    let parameters = Parameters::parse(request.query_string().as_bytes());
    let next = authorize::begin(&ctx, &cookies.browser, &parameters).await?;
    Ok(cookies.greet(&ctx, show(&ctx, &page_context, next)))
}

/// Redirects an authorization request by POST to the same request by GET.
///
/// A browser sends no cookies with a form of another site.
#[utoipa::path(post, path = "/oauth2/authorize", tag = "OpenID Connect",
    responses((status = 303, description = "to a page, or back to the application"), (status = 400, description = "a page")))]
pub async fn authorize_by_post(ctx: Ctx, request: HttpRequest, payload: Payload) -> Result<HttpResponse, PageRefusal> {
    repeat_as_get(&ctx, "/oauth2/authorize", request, payload).await
}

/// Resumes an authorization request after a page.
#[utoipa::path(get, path = "/oauth2/authorize/{interaction}", tag = "OpenID Connect",
    params(("interaction" = String, Path)),
    responses((status = 303, description = "to a page, or back to the application"), (status = 400, description = "a page")))]
pub async fn resume(
    ctx: Ctx,
    page_context: PageContext,
    id: Path<String>,
    cookies: BrowserCookies,
) -> Result<HttpResponse, PageRefusal> {
    let id = InteractionId::try_from(id.into_inner())?;
    if cookies.is_new() {
        return Err(PageRefusal::NoCookies);
    }
    let next = async { Interaction::open(&ctx, &cookies.browser, id).await?.resume(&ctx).await };
    let next = next.await.map_err(PageRefusal::of_an_interaction)?;
    Ok(cookies.greet(&ctx, show(&ctx, &page_context, next)))
}
