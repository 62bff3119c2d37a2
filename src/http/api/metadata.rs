//! Server metadata, generated from what the code supports: `/.well-known/oauth-authorization-server` (RFC 8414) and
//! `/.well-known/openid-configuration` (OpenID Connect Discovery 1.0 section 3).

use actix_web::HttpResponse;
use actix_web::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL};
use serde_json::{Value, json};

use crate::authentication;
use crate::http::Ctx;
use crate::protocol::claims::BY_SCOPE;
use crate::protocol::{AuthMethod, GrantType, Prompt, ResponseMode, scope};

/// Returns the authorization server metadata.
#[utoipa::path(get, path = "/.well-known/oauth-authorization-server", tag = "OAuth 2.1",
    responses((status = 200, description = "metadata")))]
pub async fn metadata(ctx: Ctx) -> HttpResponse {
    answer(&document(&ctx))
}

/// Returns the OpenID provider metadata, which is the same document.
#[utoipa::path(get, path = "/.well-known/openid-configuration", tag = "OpenID Connect",
    responses((status = 200, description = "metadata")))]
pub async fn configuration(ctx: Ctx) -> HttpResponse {
    answer(&document(&ctx))
}

fn answer(document: &Value) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "public, max-age=3600"))
        .insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .json(document)
}

fn document(ctx: &Ctx) -> Value {
    let issuer = &ctx.config.issuer;
    let at = |path: &str| format!("{}{path}", issuer.trim_end_matches('/'));
    let with_secret: Vec<_> = AuthMethod::ALL.into_iter().filter(|method| *method != AuthMethod::None).collect();
    let algorithms = ctx.keys.algorithms();
    let scopes: Vec<&str> =
        [scope::OPENID, scope::OFFLINE_ACCESS].into_iter().chain(BY_SCOPE.iter().map(|(scope, _)| *scope)).collect();
    let always = ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid"];
    let claims: Vec<&str> =
        always.into_iter().chain(BY_SCOPE.iter().flat_map(|(_, claims)| claims.iter().copied())).collect();
    json!({
        "issuer": issuer,
        "authorization_endpoint": at("/oauth2/authorize"),
        "token_endpoint": at("/oauth2/token"),
        "token_endpoint_auth_methods_supported": AuthMethod::ALL,
        "introspection_endpoint": at("/oauth2/introspect"),
        "introspection_endpoint_auth_methods_supported": with_secret,
        "revocation_endpoint": at("/oauth2/revoke"),
        "revocation_endpoint_auth_methods_supported": AuthMethod::ALL,
        "userinfo_endpoint": at("/oauth2/userinfo"),
        "end_session_endpoint": at("/oauth2/logout"),
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "frontchannel_logout_supported": true,
        "frontchannel_logout_session_supported": true,
        "jwks_uri": at("/.well-known/jwks.json"),
        "status_list_aggregation_endpoint": at("/status"),
        "grant_types_supported": GrantType::AT_TOKEN_ENDPOINT,
        "response_types_supported": ["code"],
        "response_modes_supported": ResponseMode::ALL,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "scopes_supported": scopes,
        "claims_supported": claims,
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": true,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "prompt_values_supported": Prompt::ALL,
        "display_values_supported": ["page"],
        "acr_values_supported": authentication::acr_values(),
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": algorithms,
        "userinfo_signing_alg_values_supported": algorithms,
        "status_events_endpoint": at("/status/events"),
        "service_documentation": at("/openapi.json"),
    })
}
