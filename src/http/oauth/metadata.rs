//! `GET /.well-known/oauth-authorization-server` (RFC 8414), made from what is really offered.

use actix_web::HttpResponse;
use actix_web::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL};
use serde_json::json;

use crate::http::Ctx;
use crate::protocol::{AuthMethod, GrantType};

/// What this authorization server offers.
#[utoipa::path(get, path = "/.well-known/oauth-authorization-server", tag = "OAuth 2.1",
    responses((status = 200, description = "metadata")))]
pub async fn metadata(ctx: Ctx) -> HttpResponse {
    let issuer = &ctx.config.issuer;
    let at = |path: &str| format!("{}{path}", issuer.trim_end_matches('/'));
    let with_secret: Vec<_> = AuthMethod::ALL.into_iter().filter(|method| *method != AuthMethod::None).collect();
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "public, max-age=3600"))
        .insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .json(json!({
            "issuer": issuer,
            "token_endpoint": at("/oauth2/token"),
            "token_endpoint_auth_methods_supported": AuthMethod::ALL,
            "introspection_endpoint": at("/oauth2/introspect"),
            "introspection_endpoint_auth_methods_supported": with_secret,
            "revocation_endpoint": at("/oauth2/revoke"),
            "revocation_endpoint_auth_methods_supported": AuthMethod::ALL,
            "jwks_uri": at("/.well-known/jwks.json"),
            "grant_types_supported": GrantType::AT_TOKEN_ENDPOINT,
            "response_types_supported": [],
            "service_documentation": at("/openapi.json"),
        }))
}
