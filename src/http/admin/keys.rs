//! The keyring in the admin API.

use actix_web::web::{self, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::json;

use super::{AuthorizedCaller, Body, body, ok};
use crate::error::Error;
use crate::http::Ctx;
use crate::http::error::ProblemRefusal;
use crate::keys::{Ripeness, RotateError};

/// Lists all keys, including removed ones.
#[utoipa::path(get, path = "/admin/v1/keys", tag = "admin: keys",
    responses((status = 200)))]
pub async fn list(ctx: Ctx) -> Result<HttpResponse, ProblemRefusal> {
    Ok(ok(&json!({ "items": ctx.keys.list().await? })))
}

#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// Rotate although verifiers may not know the next keys yet.
    #[serde(default)]
    now: bool,
}

/// Rotates the signing keys: the next keys become active.
#[utoipa::path(post, path = "/admin/v1/keys/rotate", tag = "admin: keys", request_body = Rotation,
    responses((status = 200), (status = 409, description = "not ripe yet; says when")))]
pub async fn rotate(ctx: Ctx, by: AuthorizedCaller, wanted: Body<Rotation>) -> Result<HttpResponse, ProblemRefusal> {
    let ripeness = if wanted.0.now { Ripeness::Ignored } else { Ripeness::Required };
    match ctx.keys.rotate(ripeness, by.actor()).await {
        Ok(keys) => Ok(ok(&json!({ "items": keys }))),
        Err(unripe @ RotateError::Unripe { .. }) => Err(Error::Conflict(unripe.to_string().into()).into()),
        Err(RotateError::Failed(error)) => Err(error.into()),
    }
}

/// Imports a private key in PEM form (PKCS#8, PKCS#1, SEC1).
///
/// The key enters as *next*, or as *active* where no key signs with its algorithm yet. A known key is left unchanged.
#[utoipa::path(post, path = "/admin/v1/keys/import", tag = "admin: keys",
    request_body(content = String, content_type = "application/x-pem-file"),
    responses((status = 200), (status = 400, description = "says why the key is not taken; a removed one never is again")))]
pub async fn import(
    ctx: Ctx,
    by: AuthorizedCaller,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, ProblemRefusal> {
    let pem = body::text(&request, payload, &["application/x-pem-file"]).await?;
    Ok(ok(&ctx.keys.import(pem.expose(), by.actor()).await?))
}

/// Removes a key from the JWKS at once.
#[utoipa::path(delete, path = "/admin/v1/keys/{kid}", tag = "admin: keys", params(("kid" = String, Path)),
    responses((status = 200, description = "verifiers refuse its tokens by the time given"), (status = 404)))]
pub async fn remove(ctx: Ctx, by: AuthorizedCaller, kid: Path<String>) -> Result<HttpResponse, ProblemRefusal> {
    if !ctx.keys.remove(&kid, by.actor()).await? {
        return Err(Error::NotFound("there is no such key, or it was removed before".into()).into());
    }
    let refused_by = ctx.now().plus(ctx.config.keys.jwks_max_age.get());
    Ok(ok(&json!({ "removed": *kid, "refused_by": refused_by })))
}
