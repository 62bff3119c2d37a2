//! Signing out: `/oauth2/logout`, to which applications send a browser (OpenID Connect RP-Initiated Logout 1.0 section 2), and
//! the page `/logout`.

use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};

use super::authorize::{LONGEST_QUERY, see_other};
use crate::authorize::Parameters;
use crate::http::Ctx;
use crate::http::error::PageRefusal;
use crate::http::form::{Form, read_body};
use crate::http::pages::{self, Look, SignOut, SignedOut};
use crate::http::visitor::Visitor;
use crate::protocol::OAuthError;
use crate::sign_out::{self, Gone, Next, Question};

/// An application sends a browser here to be signed out.
#[utoipa::path(get, path = "/oauth2/logout", tag = "OpenID Connect",
    params(("id_token_hint" = Option<String>, Query), ("logout_hint" = Option<String>, Query),
        ("client_id" = Option<String>, Query), ("post_logout_redirect_uri" = Option<String>, Query),
        ("state" = Option<String>, Query), ("ui_locales" = Option<String>, Query)),
    responses((status = 200, description = "a page"), (status = 303, description = "back to the application"),
        (status = 400, description = "a page")))]
pub async fn logout(ctx: Ctx, request: HttpRequest, visitor: Visitor, look: Look) -> Result<HttpResponse, PageRefusal> {
    let parameters = Parameters::parse(request.query_string().as_bytes());
    let look = look.with_ui_locales(parameters.get("ui_locales"));
    let next = sign_out::begin(&ctx, &visitor.browser, &parameters).await?;
    Ok(show(&ctx, &visitor, &look, next))
}

/// The same by POST. A browser brings no cookie along with another site's form, so it is asked to come by GET.
#[utoipa::path(post, path = "/oauth2/logout", tag = "OpenID Connect",
    responses((status = 303, description = "to the same by GET"), (status = 400, description = "a page")))]
pub async fn logout_by_post(request: HttpRequest, payload: Payload) -> Result<HttpResponse, PageRefusal> {
    let body = read_body(request, payload.into_inner()).await?;
    match std::str::from_utf8(&body) {
        Ok(query) if query.len() > LONGEST_QUERY => Err(OAuthError::TooLarge.into()),
        Ok(query) if query.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Ok(see_other(&format!("/oauth2/logout?{query}")))
        }
        Ok(_) | Err(_) => Err(OAuthError::invalid_request("the body is not a form").into()),
    }
}

/// The question, for whoever opens the page.
#[utoipa::path(get, path = "/logout", tag = "pages", responses((status = 200, description = "a page")))]
pub async fn page(ctx: Ctx, visitor: Visitor, look: Look) -> Result<HttpResponse, PageRefusal> {
    let next = sign_out::ask(&ctx, &visitor.browser).await?;
    Ok(show(&ctx, &visitor, &look, next))
}

/// The answer to the question.
#[utoipa::path(post, path = "/logout", tag = "pages",
    responses((status = 200, description = "a page"), (status = 400, description = "a page")))]
pub async fn answer(
    ctx: Ctx,
    request: HttpRequest,
    payload: Payload,
    visitor: Visitor,
    look: Look,
) -> Result<HttpResponse, PageRefusal> {
    let form = Form::parse(&read_body(request, payload.into_inner()).await?)?;
    if form.get("answer") == Some("stay") {
        return Ok(see_other("/account"));
    }
    let gone = sign_out::confirm(&ctx, &visitor.browser, form.get("csrf")).await?;
    Ok(say_goodbye(&ctx, &visitor, &look, gone))
}

fn show(ctx: &Ctx, visitor: &Visitor, look: &Look, next: Next) -> HttpResponse {
    match next {
        Next::Ask(question) => visitor.greet(ctx, ask(ctx, visitor, look, question)),
        Next::Gone(gone) => say_goodbye(ctx, visitor, look, gone),
    }
}

fn ask(ctx: &Ctx, visitor: &Visitor, look: &Look, question: Question) -> HttpResponse {
    let page = SignOut {
        transaction: None,
        csrf: visitor.browser.form_token(ctx),
        user: question.user,
        application: question.application,
        problem: None,
    };
    pages::sign_out(look, &page)
}

/// Straight back to the application where nothing has to be shown or loaded before.
fn say_goodbye(ctx: &Ctx, visitor: &Visitor, look: &Look, gone: Gone) -> HttpResponse {
    let answer = match gone.back {
        Some(back) if gone.frames.is_empty() && !gone.is_pending => see_other(&back.address),
        back => {
            let (application, continue_to) = back.map(|back| (back.application, back.address)).unzip();
            let page = SignedOut { application, continue_to, frames: gone.frames, is_pending: gone.is_pending };
            pages::signed_out(look, &page)
        }
    };
    visitor.signed_out(ctx, answer)
}
