//! `POST /oauth2/revoke` (RFC 7009).

use actix_web::{HttpRequest, HttpResponse};

use crate::clients;
use crate::http::Ctx;
use crate::http::client_auth::credentials;
use crate::http::error::OAuthRefusal;
use crate::http::form::Form;
use crate::token_status::revocation;

/// Ends the session of a token.
#[utoipa::path(post, path = "/oauth2/revoke", tag = "OAuth 2.1",
    request_body(content = inline(RevokeForm), content_type = "application/x-www-form-urlencoded"),
    responses((status = 200), (status = 400), (status = 401), (status = 503)))]
pub async fn revoke(ctx: Ctx, request: HttpRequest, form: Form) -> Result<HttpResponse, OAuthRefusal> {
    let client = clients::authenticate(&ctx, &credentials(&request, &form)?).await?;
    let token = form.required("token")?;
    revocation::revoke(&ctx, &client, token.expose()).await?;
    Ok(HttpResponse::Ok().insert_header(("Cache-Control", "no-store")).finish())
}

#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "read by the OpenAPI document alone")]
struct RevokeForm {
    token: String,
    token_type_hint: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
}
