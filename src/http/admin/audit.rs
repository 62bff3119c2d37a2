//! Audit events in the admin API.

use actix_web::HttpResponse;
use actix_web::web::Query;

use super::{Paging, ok};
use crate::error::Error;
use crate::http::Ctx;
use crate::http::error::ProblemRefusal;

/// Lists audit events, newest first.
#[utoipa::path(get, path = "/admin/v1/audit", tag = "admin: audit", params(Paging),
    responses((status = 200)))]
pub async fn list(ctx: Ctx, paging: Query<Paging>) -> Result<HttpResponse, ProblemRefusal> {
    Ok(ok(&ctx.store.database.list_audit(&paging.into()).await.map_err(Error::from)?))
}
