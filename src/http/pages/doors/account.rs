//! `/account`: where am I signed in, and which applications have access?

use actix_web::{HttpRequest, HttpResponse};

use super::{Filled, application, is_own_form, query};
use crate::authorize::{self, connected};
use crate::browser_sessions::{self, LiveBrowserSession};
use crate::ctx;
use crate::http::Ctx;
use crate::http::error::PageRefusal;
use crate::http::form::Form;
use crate::http::oauth::authorize::see_other;
use crate::http::pages::{Account, Application, Connected, Done, Look, Problem, SignedIn, account};
use crate::http::visitor::Visitor;
use crate::model::ClientId;
use crate::protocol::OAuthError;

/// The page.
#[utoipa::path(get, path = "/account", tag = "Pages",
    responses((status = 200, description = "a page"), (status = 303, description = "sign in first")))]
pub async fn show(ctx: Ctx, look: Look, request: HttpRequest, visitor: Visitor) -> Result<HttpResponse, PageRefusal> {
    let done = query(&request)?.get("done").and_then(Done::named);
    let Some(me) = browser_sessions::find(&ctx, visitor.browser.session_cookie.as_ref()).await? else {
        return Ok(sign_in_first(&ctx));
    };
    let page = Account { done, ..about(&ctx, &visitor, &me).await? };
    Ok(visitor.greet(&ctx, account(&look, &page)))
}

/// Ends one browser session of the person's own.
#[utoipa::path(post, path = "/account/browser-sessions/end", tag = "Pages", responses((status = 303), (status = 403)))]
pub async fn end_browser_session(
    ctx: Ctx,
    look: Look,
    visitor: Visitor,
    form: Filled,
) -> Result<HttpResponse, PageRefusal> {
    let (me, form) = match asked(&ctx, &look, &visitor, form).await? {
        Asked::By(me, form) => (me, form),
        Asked::InVain(answer) => return Ok(answer),
    };
    if let Some(named) = form.get("browser_session").and_then(|id| id.parse().ok()) {
        browser_sessions::end_own(&ctx, me.user.id, named).await?;
    }
    Ok(done(&ctx, Done::BrowserSessionEnded))
}

/// Ends every browser session of the person's but this one.
#[utoipa::path(post, path = "/account/browser-sessions/end-others", tag = "Pages", responses((status = 303), (status = 403)))]
pub async fn end_others(ctx: Ctx, look: Look, visitor: Visitor, form: Filled) -> Result<HttpResponse, PageRefusal> {
    match asked(&ctx, &look, &visitor, form).await? {
        Asked::By(me, _) => {
            browser_sessions::end_others(&ctx, me.user.id, me.browser_session.id).await?;
            Ok(done(&ctx, Done::OthersEnded))
        }
        Asked::InVain(answer) => Ok(answer),
    }
}

/// Withdraws what an application may do.
#[utoipa::path(post, path = "/account/applications/withdraw", tag = "Pages", responses((status = 303), (status = 403)))]
pub async fn withdraw(ctx: Ctx, look: Look, visitor: Visitor, form: Filled) -> Result<HttpResponse, PageRefusal> {
    let (me, form) = match asked(&ctx, &look, &visitor, form).await? {
        Asked::By(me, form) => (me, form),
        Asked::InVain(answer) => return Ok(answer),
    };
    let client: Option<ClientId> = form.get("client").and_then(|id| id.parse().ok());
    let client = client.ok_or_else(|| OAuthError::invalid_request("client is missing"))?;
    authorize::withdraw(&ctx, me.user.id, &client).await?;
    Ok(done(&ctx, Done::Withdrawn))
}

/// What became of a form.
pub(super) enum Asked {
    /// This person has sent it, from a page of ours.
    By(Box<LiveBrowserSession>, Form),
    /// Nobody may have what it asks for; this is shown instead.
    InVain(HttpResponse),
}

/// Who has sent a form of this page.
pub(super) async fn asked(
    ctx: &ctx::Ctx,
    look: &Look,
    visitor: &Visitor,
    Filled(form): Filled,
) -> Result<Asked, PageRefusal> {
    let is_own = is_own_form(ctx, visitor, &form)?;
    let Some(me) = browser_sessions::find(ctx, visitor.browser.session_cookie.as_ref()).await? else {
        return Ok(Asked::InVain(sign_in_first(ctx)));
    };
    if is_own {
        return Ok(Asked::By(Box::new(me), form));
    }
    let page = Account { stopped: Some(Problem::PageWasOld), ..about(ctx, visitor, &me).await? };
    Ok(Asked::InVain(account(look, &page)))
}

/// What the page shows of a person.
pub(super) async fn about(ctx: &ctx::Ctx, visitor: &Visitor, me: &LiveBrowserSession) -> Result<Account, OAuthError> {
    let browser_sessions = browser_sessions::of_user(ctx, me.user.id).await?;
    let applications = connected(ctx, me.user.id).await?;
    Ok(Account {
        csrf: visitor.browser.form_token(ctx),
        user: me.user.username.clone(),
        browser_sessions: browser_sessions
            .into_iter()
            .map(|browser_session| SignedIn {
                id: browser_session.id.to_string(),
                is_this: browser_session.id == me.browser_session.id,
                device: browser_session.device,
                since: browser_session.created_at,
                last_used: browser_session.last_used_at,
            })
            .collect(),
        applications: applications
            .into_iter()
            .map(|entry| Connected {
                id: entry.client.id.to_string(),
                // Each would learn that the person looks at this page.
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

/// Back to the page, which says so; a reload does not do it again.
pub(super) fn done(ctx: &ctx::Ctx, what: Done) -> HttpResponse {
    see_other(&ctx.config.path_to(&format!("/account?done={}", what.name())))
}

pub(super) fn sign_in_first(ctx: &ctx::Ctx) -> HttpResponse {
    see_other(&ctx.config.path_to("/login"))
}
