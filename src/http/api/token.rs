//! `POST /oauth2/token` (RFC 6749 section 3.2).

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use crate::error::Error;
use crate::grants::{self, CodeExchange, Grant, TokenRequest, TokenResponse};
use crate::http::Ctx;
use crate::http::client_auth::credentials;
use crate::http::error::OAuthRefusal;
use crate::http::form::Form;
use crate::http::response::unkept_json;
use crate::protocol::GrantType;

/// The successful response (RFC 6749 section 5.1).
#[derive(Serialize, utoipa::ToSchema)]
pub struct TokenBody {
    access_token: String,
    token_type: &'static str,
    /// In seconds.
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    scope: String,
}

/// Exchanges a grant for tokens.
#[utoipa::path(post, path = "/oauth2/token", tag = "OAuth 2.1",
    request_body(content = inline(TokenForm), content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = TokenBody), (status = 400), (status = 401), (status = 503)))]
pub async fn token(ctx: Ctx, request: HttpRequest, form: Form) -> Result<HttpResponse, OAuthRefusal> {
    let request = TokenRequest { credentials: credentials(&request, &form)?, proof: None, grant: read(&form)? };
    Ok(answer(grants::exchange(&ctx, request).await?))
}

#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "read by the OpenAPI document alone")]
struct TokenForm {
    /// `authorization_code`, `client_credentials` or `refresh_token`.
    grant_type: String,
    code: Option<String>,
    redirect_uri: Option<String>,
    code_verifier: Option<String>,
    refresh_token: Option<String>,
    scope: Option<String>,
    resource: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
}

fn read(form: &Form) -> Result<Grant, Error> {
    let scope = form.scope()?;
    let grant_type: GrantType = form.required("grant_type")?.expose().parse()?;
    match grant_type {
        GrantType::AuthorizationCode => Ok(Grant::AuthorizationCode(CodeExchange {
            code: form.required("code")?,
            redirect_uri: form.get("redirect_uri").map(str::to_owned),
            code_verifier: form.secret("code_verifier"),
        })),
        GrantType::ClientCredentials => Ok(Grant::ClientCredentials { scope, resource: form.resource() }),
        GrantType::RefreshToken => Ok(Grant::RefreshToken { refresh_token: form.required("refresh_token")?, scope }),
        GrantType::SimpleJwt => Err(GrantType::not_offered().into()),
    }
}

fn answer(response: TokenResponse) -> HttpResponse {
    let body = TokenBody {
        access_token: response.access_token,
        token_type: response.token_type.as_str(),
        expires_in: response.expires_in.as_secs(),
        refresh_token: response.refresh_token,
        id_token: response.id_token,
        scope: response.scope.into(),
    };
    unkept_json(StatusCode::OK, &body)
}
