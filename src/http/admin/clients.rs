//! Clients in the admin API.

use actix_web::HttpResponse;
use actix_web::web::{Path, Query};
use serde::Deserialize;
use serde_json::json;

use super::{AuthorizedCaller, Body, Paging, answer, applied_answer, created, ok, status_of};
use crate::clients::{self, NewClient, PreviousSecret};
use crate::error::Error;
use crate::http::Ctx;
use crate::http::error::ProblemRefusal;
use crate::model::{Client, ClientId, ClientMetadata, Secret};
use crate::protocol::MergePatch;

/// Lists clients in the order of their identifiers.
#[utoipa::path(get, path = "/admin/v1/clients", tag = "admin: clients", params(Paging),
    responses((status = 200)))]
pub async fn list(ctx: Ctx, paging: Query<Paging>) -> Result<HttpResponse, ProblemRefusal> {
    Ok(ok(&ctx.store.database.list_clients(&paging.into()).await.map_err(Error::from)?))
}

/// Adds a client.
///
/// A generated secret is returned in this response only. The representation of another client can be sent with a new
/// `client_id`.
#[utoipa::path(post, path = "/admin/v1/clients", tag = "admin: clients", request_body = NewClient,
    responses((status = 201), (status = 400), (status = 409)))]
pub async fn add(ctx: Ctx, by: AuthorizedCaller, new: Body<MergePatch>) -> Result<HttpResponse, ProblemRefusal> {
    let (client, secret) = clients::add(&ctx, NewClient::try_from(new.0)?, by.actor()).await?;
    Ok(created(&json!({ "client": client, "client_secret": secret.as_ref().map(Secret::expose) })))
}

/// Shows a client.
#[utoipa::path(get, path = "/admin/v1/clients/{id}", tag = "admin: clients", params(("id" = String, Path)),
    responses((status = 200, body = Client), (status = 404)))]
pub async fn show(ctx: Ctx, id: Path<String>) -> Result<HttpResponse, ProblemRefusal> {
    let client = ctx.store.database.client(&parse(&id)?).await.map_err(Error::from)?;
    Ok(ok(&client.ok_or_else(unknown)?))
}

/// Changes the metadata of a client by a merge patch (RFC 7396).
///
/// `null` removes a member; a member that is not named stays. The representation of the client can be sent back.
/// Sessions that hold more than the client may now be granted are ended.
#[utoipa::path(patch, path = "/admin/v1/clients/{id}", tag = "admin: clients", params(("id" = String, Path)),
    request_body = ClientMetadata,
    responses((status = 200), (status = 202), (status = 400), (status = 404)))]
pub async fn change(
    ctx: Ctx,
    by: AuthorizedCaller,
    id: Path<String>,
    patch: Body<MergePatch>,
) -> Result<HttpResponse, ProblemRefusal> {
    let (client, applied) = clients::change(&ctx, &parse(&id)?, patch.0, by.actor()).await?;
    Ok(answer(status_of(applied), &client))
}

/// Removes a client and ends its sessions.
#[utoipa::path(delete, path = "/admin/v1/clients/{id}", tag = "admin: clients", params(("id" = String, Path)),
    responses((status = 200), (status = 202), (status = 404)))]
pub async fn remove(ctx: Ctx, by: AuthorizedCaller, id: Path<String>) -> Result<HttpResponse, ProblemRefusal> {
    Ok(applied_answer(clients::remove(&ctx, &parse(&id)?, by.actor()).await?))
}

/// Disables a client and ends its sessions.
#[utoipa::path(post, path = "/admin/v1/clients/{id}/disable", tag = "admin: clients", params(("id" = String, Path)),
    responses((status = 200), (status = 202), (status = 404)))]
pub async fn disable(ctx: Ctx, by: AuthorizedCaller, id: Path<String>) -> Result<HttpResponse, ProblemRefusal> {
    Ok(applied_answer(clients::disable(&ctx, &parse(&id)?, by.actor()).await?))
}

/// Lets a client obtain tokens again.
#[utoipa::path(post, path = "/admin/v1/clients/{id}/enable", tag = "admin: clients", params(("id" = String, Path)),
    responses((status = 200), (status = 404)))]
pub async fn enable(ctx: Ctx, by: AuthorizedCaller, id: Path<String>) -> Result<HttpResponse, ProblemRefusal> {
    clients::enable(&ctx, &parse(&id)?, by.actor()).await?;
    Ok(ok(&json!({})))
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretRotation {
    /// Rotate although the secret before the current one is still valid. That secret ends at once.
    #[serde(default)]
    now: bool,
}

/// Gives a client a new secret.
///
/// The current secret stays valid for a configured time. Until it ends, another rotation needs `now`.
#[utoipa::path(post, path = "/admin/v1/clients/{id}/rotate-secret", tag = "admin: clients", params(("id" = String, Path)),
    request_body = SecretRotation,
    responses((status = 200), (status = 400), (status = 404),
        (status = 409, description = "the secret before the current one is still good; says until when")))]
pub async fn rotate_secret(
    ctx: Ctx,
    by: AuthorizedCaller,
    id: Path<String>,
    wanted: Body<SecretRotation>,
) -> Result<HttpResponse, ProblemRefusal> {
    let previous = if wanted.0.now { PreviousSecret::Ends } else { PreviousSecret::Stays };
    let (secret, old_ends) = clients::rotate_secret(&ctx, &parse(&id)?, previous, by.actor()).await?;
    Ok(ok(&json!({ "client_secret": secret.expose(), "old_secret_ends": old_ends })))
}

fn parse(id: &str) -> Result<ClientId, Error> {
    id.parse().map_err(|_| unknown())
}

fn unknown() -> Error {
    Error::NotFound("there is no such client".into())
}
