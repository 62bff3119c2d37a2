//! Users in the admin API.

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use serde::Deserialize;
use serde_json::json;

use super::{Administrator, Body, Paging, answer, applied_answer, created, ok, status_of};
use crate::http::Ctx;
use crate::http::error::AdminRefusal;
use crate::model::{Secret, UserId};
use crate::protocol::OAuthError;
use crate::users::{self, NewUser, UserChange};

/// Lists users in the order of their identifiers.
#[utoipa::path(get, path = "/admin/v1/users", tag = "admin: users", params(Paging),
    responses((status = 200)))]
pub async fn list(ctx: Ctx, paging: Query<Paging>) -> Result<HttpResponse, AdminRefusal> {
    Ok(ok(&ctx.store.ledger.list_users(&paging.into()).await.map_err(OAuthError::from)?))
}

/// Adds a user.
#[utoipa::path(post, path = "/admin/v1/users", tag = "admin: users", request_body = NewUser,
    responses((status = 201), (status = 400), (status = 409)))]
pub async fn add(ctx: Ctx, by: Administrator, new: Body<NewUser>) -> Result<HttpResponse, AdminRefusal> {
    Ok(created(&users::add(&ctx, new.0, by.actor()).await?))
}

/// Shows a user.
#[utoipa::path(get, path = "/admin/v1/users/{id}", tag = "admin: users", params(("id" = String, Path)),
    responses((status = 200), (status = 404)))]
pub async fn show(ctx: Ctx, id: Path<String>) -> Result<HttpResponse, AdminRefusal> {
    let user = ctx.store.ledger.user(parse(&id)?).await.map_err(OAuthError::from)?;
    Ok(ok(&user.ok_or_else(unknown)?))
}

/// Changes a user, by a merge patch (RFC 7396). Other roles and groups are in every live session's next tokens, and
/// without `admin` the sessions with rights over this house have ended, before this answers. 503: the change may be kept
/// already, and the answer says so; repeating the call finishes it.
#[utoipa::path(patch, path = "/admin/v1/users/{id}", tag = "admin: users", params(("id" = String, Path)),
    request_body = UserChange,
    responses((status = 200), (status = 202, description = "sessions have ended; the hot state does not know it yet"),
        (status = 400), (status = 404), (status = 409, description = "the address is taken"), (status = 503)))]
pub async fn change(
    ctx: Ctx,
    by: Administrator,
    id: Path<String>,
    wanted: Body<UserChange>,
) -> Result<HttpResponse, AdminRefusal> {
    let (user, applied) = users::change(&ctx, parse(&id)?, wanted.0, by.actor()).await?;
    Ok(answer(status_of(applied), &user))
}

/// Removes a user and ends the user's sessions.
#[utoipa::path(delete, path = "/admin/v1/users/{id}", tag = "admin: users", params(("id" = String, Path)),
    responses((status = 200), (status = 202), (status = 404)))]
pub async fn remove(ctx: Ctx, by: Administrator, id: Path<String>) -> Result<HttpResponse, AdminRefusal> {
    Ok(applied_answer(users::remove(&ctx, parse(&id)?, by.actor()).await?))
}

/// Stops a user from signing in and ends the user's sessions.
#[utoipa::path(post, path = "/admin/v1/users/{id}/disable", tag = "admin: users", params(("id" = String, Path)),
    responses((status = 200), (status = 202), (status = 404)))]
pub async fn disable(ctx: Ctx, by: Administrator, id: Path<String>) -> Result<HttpResponse, AdminRefusal> {
    Ok(applied_answer(users::disable(&ctx, parse(&id)?, by.actor()).await?))
}

/// Lets a user sign in again.
#[utoipa::path(post, path = "/admin/v1/users/{id}/enable", tag = "admin: users", params(("id" = String, Path)),
    responses((status = 200), (status = 404)))]
pub async fn enable(ctx: Ctx, by: Administrator, id: Path<String>) -> Result<HttpResponse, AdminRefusal> {
    users::enable(&ctx, parse(&id)?, by.actor()).await?;
    Ok(ok(&json!({})))
}

/// A new password.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    #[schema(value_type = String)]
    password: Secret,
}

/// Sets a password and ends the user's sessions.
#[utoipa::path(post, path = "/admin/v1/users/{id}/password", tag = "admin: users", params(("id" = String, Path)),
    request_body = NewPassword,
    responses((status = 200), (status = 202), (status = 400), (status = 404)))]
pub async fn password(
    ctx: Ctx,
    by: Administrator,
    id: Path<String>,
    new: Body<NewPassword>,
) -> Result<HttpResponse, AdminRefusal> {
    let applied = users::change_password(&ctx, parse(&id)?, &new.0.password, by.actor()).await?;
    Ok(applied_answer(applied))
}

fn parse(id: &str) -> Result<UserId, OAuthError> {
    id.parse().map_err(|_| unknown())
}

fn unknown() -> OAuthError {
    OAuthError::NotFound("there is no such user".into())
}
