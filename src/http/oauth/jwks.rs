//! `GET /.well-known/jwks.json` (RFC 7517 section 5), from memory.

use actix_web::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse};

use crate::http::Ctx;

/// The published keys.
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "OAuth 2.1",
    responses((status = 200, description = "JWKS"), (status = 304)))]
pub async fn jwks(ctx: Ctx, request: HttpRequest) -> HttpResponse {
    let jwks = ctx.keys.jwks();
    let max_age = ctx.config.keys.jwks_max_age.get().as_secs();
    let known = request.headers().get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let mut response = if known.is_some_and(|tags| names(tags, &jwks.etag)) {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header((ETAG, jwks.etag.clone()))
        .insert_header((CACHE_CONTROL, format!("public, max-age={max_age}")))
        .insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, "*"));
    if known.is_some_and(|tags| names(tags, &jwks.etag)) {
        return response.finish();
    }
    response.content_type("application/json").body(jwks.body.clone())
}

/// Whether `If-None-Match` names the tag; comparison is weak (RFC 9110 section 13.1.2).
fn names(tags: &str, etag: &str) -> bool {
    tags.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
}
