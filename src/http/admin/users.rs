//! Users in the admin API.

use actix_web::web::{self, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{AuthorizedCaller, Body, Paging, answer, applied_answer, body, created, ok, status_of};
use crate::error::Error;
use crate::http::Ctx;
use crate::http::error::{ProblemRefusal, description};
use crate::model::{Secret, User, UserId};
use crate::users::{self, NewUser, UserChange};

/// Lists users in the order of their identifiers.
#[utoipa::path(get, path = "/admin/v1/users", tag = "admin: users", params(Paging),
    responses((status = 200)))]
pub async fn list(ctx: Ctx, paging: Query<Paging>) -> Result<HttpResponse, ProblemRefusal> {
    Ok(ok(&ctx.store.database.list_users(&paging.into()).await.map_err(Error::from)?))
}

/// Adds a user.
#[utoipa::path(post, path = "/admin/v1/users", tag = "admin: users", request_body = NewUser,
    responses((status = 201), (status = 400), (status = 409)))]
pub async fn add(ctx: Ctx, by: AuthorizedCaller, new: Body<NewUser>) -> Result<HttpResponse, ProblemRefusal> {
    Ok(created(&users::add(&ctx, new.0, by.actor()).await?))
}

/// The outcome of one line of an import.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ImportedLine {
    /// Counted from 1, including empty lines.
    line: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    id: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    /// Why no user was added.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub struct ImportReceipt {
    added: usize,
    refused: usize,
    /// One entry for each line that is not empty.
    lines: Vec<ImportedLine>,
}

/// Adds users with the password hashes of another system, one JSON object per line.
///
/// The fields are `username`, `email`, `email_verified`, `roles`, `groups`, `profile` and `password_hash`. A refused
/// line is reported in the receipt, and the other lines are added. 503: a store stopped answering during the import.
/// Repeating the call adds the remaining users and reports the others as taken.
#[utoipa::path(post, path = "/admin/v1/users/import", tag = "admin: users",
    request_body(content = String, content_type = "application/x-ndjson"),
    responses((status = 200, body = ImportReceipt), (status = 400), (status = 413, description = "send fewer lines at a time"),
        (status = 503)))]
pub async fn import(
    ctx: Ctx,
    by: AuthorizedCaller,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, ProblemRefusal> {
    let text = body::text(&request, payload, &["application/x-ndjson", "application/jsonl"]).await?;
    let mut receipt = ImportReceipt::default();
    let mut away = None;
    let tell = |line, done: Result<User, Error>| match done {
        Ok(user) => {
            receipt.added += 1;
            receipt.lines.push(ImportedLine { line, id: Some(user.id), username: Some(user.username), problem: None });
        }
        Err(error @ Error::Unavailable(_)) => away = Some(error),
        Err(error) => {
            receipt.refused += 1;
            let problem = Some(description(&error.into()));
            receipt.lines.push(ImportedLine { line, id: None, username: None, problem });
        }
    };
    users::import_lines(&ctx, text.expose(), by.actor(), tell).await;
    match away {
        None => Ok(ok(&receipt)),
        Some(error) if receipt.added == 0 => Err(error.into()),
        Some(error) => Err(error.unfinished().into()),
    }
}

/// Shows a user.
#[utoipa::path(get, path = "/admin/v1/users/{id}", tag = "admin: users", params(("id" = String, Path)),
    responses((status = 200), (status = 404)))]
pub async fn show(ctx: Ctx, id: Path<String>) -> Result<HttpResponse, ProblemRefusal> {
    let user = ctx.store.database.user(parse(&id)?).await.map_err(Error::from)?;
    Ok(ok(&user.ok_or_else(unknown)?))
}

/// Changes a user by a merge patch (RFC 7396).
///
/// Before this answers, changed roles and groups apply to the next tokens of every live session. The sessions with
/// rights over this server have ended where the user is no longer an `admin`. After a 503 the change may be stored
/// already, and the answer says so; repeating the call finishes it.
#[utoipa::path(patch, path = "/admin/v1/users/{id}", tag = "admin: users", params(("id" = String, Path)),
    request_body = UserChange,
    responses((status = 200), (status = 202, description = "sessions have ended; the ephemeral store does not know it yet"),
        (status = 400), (status = 404), (status = 409, description = "the address is taken"), (status = 503)))]
pub async fn change(
    ctx: Ctx,
    by: AuthorizedCaller,
    id: Path<String>,
    wanted: Body<UserChange>,
) -> Result<HttpResponse, ProblemRefusal> {
    let (user, applied) = users::change(&ctx, parse(&id)?, wanted.0, by.actor()).await?;
    Ok(answer(status_of(applied), &user))
}

/// Removes a user and ends the user's sessions.
#[utoipa::path(delete, path = "/admin/v1/users/{id}", tag = "admin: users", params(("id" = String, Path)),
    responses((status = 200), (status = 202), (status = 404)))]
pub async fn remove(ctx: Ctx, by: AuthorizedCaller, id: Path<String>) -> Result<HttpResponse, ProblemRefusal> {
    Ok(applied_answer(users::remove(&ctx, parse(&id)?, by.actor()).await?))
}

/// Disables a user and ends the user's sessions.
#[utoipa::path(post, path = "/admin/v1/users/{id}/disable", tag = "admin: users", params(("id" = String, Path)),
    responses((status = 200), (status = 202), (status = 404)))]
pub async fn disable(ctx: Ctx, by: AuthorizedCaller, id: Path<String>) -> Result<HttpResponse, ProblemRefusal> {
    Ok(applied_answer(users::disable(&ctx, parse(&id)?, by.actor()).await?))
}

/// Lets a user sign in again.
#[utoipa::path(post, path = "/admin/v1/users/{id}/enable", tag = "admin: users", params(("id" = String, Path)),
    responses((status = 200), (status = 404)))]
pub async fn enable(ctx: Ctx, by: AuthorizedCaller, id: Path<String>) -> Result<HttpResponse, ProblemRefusal> {
    users::enable(&ctx, parse(&id)?, by.actor()).await?;
    Ok(ok(&json!({})))
}

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
    by: AuthorizedCaller,
    id: Path<String>,
    new: Body<NewPassword>,
) -> Result<HttpResponse, ProblemRefusal> {
    let applied = users::change_password(&ctx, parse(&id)?, &new.0.password, by.actor()).await?;
    Ok(applied_answer(applied))
}

fn parse(id: &str) -> Result<UserId, Error> {
    id.parse().map_err(|_| unknown())
}

fn unknown() -> Error {
    Error::NotFound("there is no such user".into())
}
