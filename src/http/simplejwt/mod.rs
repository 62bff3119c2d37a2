//! The SimpleJWT-compatible API: the endpoints and bodies of SimpleJWT, for first-party applications.

pub mod fields;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::json;

use self::fields::{Fields, SimpleJwtRefusal};
use crate::error::Error;
use crate::grants::{self, SignIn};
use crate::http::{Ctx, response, user_agent};
use crate::model::ClientId;
use crate::protocol::{ErrorCode, Scope};
use crate::token_status::introspection::{self, LiveToken};
use crate::token_status::revocation;

#[derive(Serialize, utoipa::ToSchema)]
pub struct Pair {
    /// The access token (RFC 9068).
    access: String,
    refresh: String,
}

/// Exchanges a user name and password for a pair of tokens.
#[utoipa::path(post, path = "/api/token/", tag = "SimpleJWT-compatible API",
    request_body(content = inline(ObtainBody), content_type = "application/json"),
    responses((status = 200, body = Pair), (status = 400), (status = 401), (status = 429), (status = 503)))]
pub async fn obtain(ctx: Ctx, request: HttpRequest, fields: Fields) -> Result<HttpResponse, SimpleJwtRefusal> {
    let [username, password] = fields.texts(["username", "password"])?;
    let scope = fields.optional("scope")?;
    let sign_in = SignIn {
        username: username.expose().to_owned(),
        password,
        scope: scope.map(|scope| Scope::parse(scope.expose())).transpose()?,
        user_agent: user_agent::user_agent(&request, &ctx.config),
    };
    let pair = grants::obtain(&ctx, sign_in).await?.ok_or(SimpleJwtRefusal::NoActiveAccount)?;
    Ok(ok(&Pair { access: pair.access, refresh: pair.refresh }))
}

/// Exchanges a refresh token for the next pair of tokens of its session.
#[utoipa::path(post, path = "/api/token/refresh/", tag = "SimpleJWT-compatible API",
    request_body(content = inline(RefreshBody), content_type = "application/json"),
    responses((status = 200, body = Pair), (status = 400), (status = 401), (status = 503)))]
pub async fn refresh(ctx: Ctx, fields: Fields) -> Result<HttpResponse, SimpleJwtRefusal> {
    let [refresh] = fields.texts(["refresh"])?;
    let pair = grants::renew(&ctx, &refresh).await.map_err(token_refusal)?;
    Ok(ok(&Pair { access: pair.access, refresh: pair.refresh }))
}

/// Answers 200 for a token of this API that is valid now.
#[utoipa::path(post, path = "/api/token/verify/", tag = "SimpleJWT-compatible API",
    request_body(content = inline(VerifyBody), content_type = "application/json"),
    responses((status = 200), (status = 400), (status = 401), (status = 503)))]
pub async fn verify(ctx: Ctx, fields: Fields) -> Result<HttpResponse, SimpleJwtRefusal> {
    let [token] = fields.texts(["token"])?;
    match introspection::token_status(&ctx, token.expose()).await? {
        Some(live) if belongs_here(&live) => Ok(ok(&json!({}))),
        _ => Err(SimpleJwtRefusal::TokenNotValid),
    }
}

/// Ends the session of a refresh token.
#[utoipa::path(post, path = "/api/token/blacklist/", tag = "SimpleJWT-compatible API",
    request_body(content = inline(RefreshBody), content_type = "application/json"),
    responses((status = 200), (status = 400), (status = 401), (status = 503)))]
pub async fn blacklist(ctx: Ctx, fields: Fields) -> Result<HttpResponse, SimpleJwtRefusal> {
    let [refresh] = fields.texts(["refresh"])?;
    revocation::blacklist(&ctx, refresh.expose()).await.map_err(token_refusal)?;
    Ok(ok(&json!({})))
}

#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "read by the OpenAPI document alone")]
struct ObtainBody {
    /// User name or email address.
    username: String,
    password: String,
    /// Separated by spaces; the configured scope where absent.
    scope: Option<String>,
}

#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "read by the OpenAPI document alone")]
struct RefreshBody {
    refresh: String,
}

#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "read by the OpenAPI document alone")]
struct VerifyBody {
    token: String,
}

fn belongs_here(live: &LiveToken) -> bool {
    match live {
        LiveToken::Access(access) => access.client_id == ClientId::SIMPLEJWT,
        LiveToken::Refresh(refresh) => refresh.token.client_id.is_simplejwt(),
    }
}

/// Maps a refused token and a disabled client to the same refusal.
fn token_refusal(error: Error) -> SimpleJwtRefusal {
    let is_the_tokens = |code| {
        matches!(
            code,
            ErrorCode::InvalidGrant
                | ErrorCode::InvalidClient
                | ErrorCode::UnauthorizedClient
                | ErrorCode::InvalidScope
                | ErrorCode::InvalidTarget
        )
    };
    if error.oauth_code().is_some_and(is_the_tokens) { SimpleJwtRefusal::TokenNotValid } else { error.into() }
}

fn ok<T: Serialize>(body: &T) -> HttpResponse {
    response::unkept_json(StatusCode::OK, body)
}
