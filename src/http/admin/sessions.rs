//! Sessions in the admin API: lists and shows them, ends one or all that match.

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use serde::Deserialize;

use super::paging::{self, PageKey};
use super::{AuthorizedCaller, Body, answer, applied_answer, ok, status_of};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::http::Ctx;
use crate::http::error::ProblemRefusal;
use crate::model::{ClientId, EndReason, Page, SessionFilter, SessionId, UserId};
use crate::sessions;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct SessionQuery {
    /// Only sessions of this user (identifier).
    #[param(value_type = Option<String>)]
    user: Option<UserId>,
    #[param(value_type = Option<String>)]
    client: Option<ClientId>,
    /// Only sessions that have neither ended nor expired.
    #[serde(default)]
    live: bool,
    /// The `next` of the previous page.
    #[param(value_type = Option<String>)]
    after: Option<PageKey>,
    /// The number of items, 1 to 500; 100 where absent.
    limit: Option<u32>,
}

/// Lists sessions in the order of their creation.
#[utoipa::path(get, path = "/admin/v1/sessions", tag = "admin: sessions", params(SessionQuery),
    responses((status = 200), (status = 401), (status = 403)))]
pub async fn list(ctx: Ctx, wanted: Query<SessionQuery>) -> Result<HttpResponse, ProblemRefusal> {
    let wanted = wanted.into_inner();
    let filter =
        SessionFilter { user: wanted.user, client: wanted.client, live_only: wanted.live, ..Default::default() };
    let page = paging::page(wanted.after, wanted.limit);
    let found = ctx.store.database.list_sessions(&filter, &page, ctx.now()).await.map_err(Error::from)?;
    let mut items = Vec::with_capacity(found.items.len());
    for session in found.items {
        items.push(sessions::describe(&ctx, session).await);
    }
    Ok(ok(&Page { items, next: found.next }))
}

/// Shows one session.
#[utoipa::path(get, path = "/admin/v1/sessions/{sid}", tag = "admin: sessions", params(("sid" = String, Path)),
    responses((status = 200), (status = 404)))]
pub async fn show(ctx: Ctx, sid: Path<String>) -> Result<HttpResponse, ProblemRefusal> {
    let id = parse(&sid)?;
    let session = ctx.store.database.session(id).await.map_err(Error::from)?.ok_or_else(unknown)?;
    Ok(ok(&sessions::describe(&ctx, session).await))
}

/// Ends one session.
#[utoipa::path(delete, path = "/admin/v1/sessions/{sid}", tag = "admin: sessions", params(("sid" = String, Path)),
    responses((status = 200), (status = 202, description = "ended; the ephemeral store does not know it yet"), (status = 404)))]
pub async fn end(ctx: Ctx, administrator: AuthorizedCaller, sid: Path<String>) -> Result<HttpResponse, ProblemRefusal> {
    let applied = sessions::end_one(&ctx, parse(&sid)?, EndReason::Admin, administrator.actor()).await?;
    Ok(applied_answer(applied.ok_or_else(unknown)?))
}

/// The sessions to end. All given parts must match; one part at least, or `all`, is required.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    #[schema(value_type = Option<String>)]
    session: Option<SessionId>,
    #[schema(value_type = Option<String>)]
    user: Option<UserId>,
    #[schema(value_type = Option<String>)]
    client: Option<ClientId>,
    /// Only sessions that began before this time (RFC 3339). Where a client holds a token without a session that was
    /// issued before and may still be valid, all its tokens without a session are revoked; the client obtains others.
    #[schema(value_type = Option<String>)]
    issued_before: Option<Timestamp>,
    /// All sessions. It excludes the other parts.
    #[serde(default)]
    all: bool,
}

/// Ends all sessions that match.
#[utoipa::path(post, path = "/admin/v1/revocations", tag = "admin: sessions", request_body = Revocation,
    responses((status = 200, description = "a receipt"), (status = 202, description = "a receipt; the ephemeral store does not know it yet")))]
pub async fn revoke(
    ctx: Ctx,
    administrator: AuthorizedCaller,
    wanted: Body<Revocation>,
) -> Result<HttpResponse, ProblemRefusal> {
    let (filter, reason) = filter(wanted.0)?;
    let receipt = sessions::end_matching(&ctx, &filter, reason, administrator.actor()).await?;
    Ok(answer(status_of(receipt.applied), &receipt))
}

fn filter(wanted: Revocation) -> Result<(SessionFilter, EndReason), Error> {
    let Revocation { session, user, client, issued_before, all } = wanted;
    let names_something = session.is_some() || user.is_some() || client.is_some() || issued_before.is_some();
    if all == names_something {
        return Err(Error::invalid_request("name a session, user, client or issued_before, or say all: true"));
    }
    let reason = if issued_before.is_some() { EndReason::IssuedBefore } else { EndReason::Admin };
    Ok((SessionFilter { session, user, client, browser_session: None, issued_before, live_only: true }, reason))
}

fn parse(sid: &str) -> Result<SessionId, Error> {
    sid.parse().map_err(|_| unknown())
}

fn unknown() -> Error {
    Error::NotFound("there is no such session".into())
}
