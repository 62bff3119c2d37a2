//! `/oauth2/authorize` (RFC 6749 section 3.1, OpenID Connect Core 1.0 section 3.1.2), and the way back to it from a
//! page.

use actix_web::http::header::{CACHE_CONTROL, LOCATION};
use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse};

use crate::authorize::{self, Answer, Interaction, InteractionId, Next, Parameters, PromptPage};
use crate::ctx;
use crate::error::Error;
use crate::http::Ctx;
use crate::http::browser_cookies::BrowserCookies;
use crate::http::error::{PageRefusal, RequestError};
use crate::http::form::read_body;
use crate::http::pages::{self, FormPost, PageContext};
use crate::protocol::ResponseMode;

/// The longest request by POST, in bytes: it is repeated as a GET and must fit into a request line.
const LONGEST_QUERY: usize = 8 * 1024;

/// An application sends a browser here.
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

/// The same by POST. A browser brings no cookie along with another site's form, so it is asked to come by GET.
#[utoipa::path(post, path = "/oauth2/authorize", tag = "OpenID Connect",
    responses((status = 303, description = "to a page, or back to the application"), (status = 400, description = "a page")))]
pub async fn authorize_by_post(ctx: Ctx, request: HttpRequest, payload: Payload) -> Result<HttpResponse, PageRefusal> {
    by_get(&ctx, "/oauth2/authorize", request, payload).await
}

/// Asks the browser to repeat a form as the query of `path`.
pub(super) async fn by_get(
    ctx: &ctx::Ctx,
    path: &str,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, PageRefusal> {
    let body = read_body(request, payload.into_inner()).await?;
    let query = std::str::from_utf8(&body).ok().filter(|query| query.bytes().all(|byte| byte.is_ascii_graphic()));
    let query = query.ok_or_else(|| Error::invalid_request("the body is not a form"))?;
    if query.len() > LONGEST_QUERY {
        return Err(RequestError::TooLarge.into());
    }
    Ok(see_other(&ctx.config.path_to(&format!("{path}?{query}"))))
}

/// The browser comes back from a page.
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

/// Sends the browser on: to a page of ours, or back to the application.
#[must_use]
pub fn show(ctx: &ctx::Ctx, page_context: &PageContext, next: Next) -> HttpResponse {
    match next {
        Next::Prompt(ask, id) => {
            see_other(&ctx.config.path_to(&format!("{}?interaction={}", page_of(ask), id.as_str())))
        }
        Next::Answer(answer) => answer_to(page_context, answer),
    }
}

const fn page_of(ask: PromptPage) -> &'static str {
    match ask {
        PromptPage::SignIn => "/login",
        PromptPage::Account => "/login/account",
        PromptPage::Consent => "/consent",
    }
}

fn answer_to(page_context: &PageContext, answer: Answer) -> HttpResponse {
    match answer.mode {
        ResponseMode::Query => see_other(&answer.location()),
        ResponseMode::FormPost => {
            let fields = answer.parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            pages::form_post(page_context, &FormPost { action: answer.redirect_uri, fields, application: None })
        }
    }
}

/// 303, by which no browser repeats a form that held a password (RFC 9700 section 4.12).
#[must_use]
pub fn see_other(location: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, location)).insert_header((CACHE_CONTROL, "no-store")).finish()
}

/// The interaction that a form or an address names.
///
/// # Errors
/// `invalid_request` when it is none.
pub fn interaction_named(name: Option<&str>) -> Result<Option<InteractionId>, Error> {
    name.map(|name| InteractionId::try_from(name.to_owned())).transpose()
}
