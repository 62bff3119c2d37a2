//! Browser sessions in the admin API: lists those of a user and ends one.

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use serde::Deserialize;

use super::{AuthorizedCaller, answer, ok, status_of};
use crate::browser_sessions;
use crate::error::Error;
use crate::http::Ctx;
use crate::http::error::ProblemRefusal;
use crate::model::{BrowserSessionId, EndReason, Page, UserId};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct BrowserSessionQuery {
    /// The identifier of the user.
    #[param(value_type = String)]
    user: UserId,
}

/// Lists the browsers in which a user is signed in, the last used first, at most 200.
#[utoipa::path(get, path = "/admin/v1/browser-sessions", tag = "admin: sessions", params(BrowserSessionQuery),
    responses((status = 200), (status = 401), (status = 403)))]
pub async fn list(ctx: Ctx, wanted: Query<BrowserSessionQuery>) -> Result<HttpResponse, ProblemRefusal> {
    let items = browser_sessions::of_user(&ctx, wanted.user).await?;
    Ok(ok(&Page { items, next: None }))
}

/// Signs a browser out: ends the browser session and the sessions that do not outlive it.
#[utoipa::path(delete, path = "/admin/v1/browser-sessions/{id}", tag = "admin: sessions", params(("id" = String, Path)),
    responses((status = 200, description = "a receipt"),
        (status = 202, description = "a receipt; the ephemeral store does not know it yet"), (status = 404)))]
pub async fn end(ctx: Ctx, administrator: AuthorizedCaller, id: Path<String>) -> Result<HttpResponse, ProblemRefusal> {
    let unknown = || Error::NotFound("there is no such browser session".into());
    let id: BrowserSessionId = id.parse().map_err(|_| unknown())?;
    let receipt =
        browser_sessions::end(&ctx, id, EndReason::Admin, administrator.actor()).await?.ok_or_else(unknown)?;
    Ok(answer(status_of(receipt.applied), &receipt))
}
