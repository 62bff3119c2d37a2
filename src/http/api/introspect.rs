//! `POST /oauth2/introspect` (RFC 7662).

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use crate::clients;
use crate::http::Ctx;
use crate::http::client_auth::credentials;
use crate::http::error::OAuthRefusal;
use crate::http::form::Form;
use crate::http::response::unkept_json;
use crate::protocol::TokenScheme;
use crate::token_status::introspection::{self, LiveRefresh, LiveToken};

/// Tells a client whether a token is valid now.
#[utoipa::path(post, path = "/oauth2/introspect", tag = "OAuth 2.1",
    request_body(content = inline(TokenForm), content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "`active`, and the token's claims when it is"), (status = 401), (status = 503)))]
pub async fn introspect(ctx: Ctx, request: HttpRequest, form: Form) -> Result<HttpResponse, OAuthRefusal> {
    let client = clients::authenticate(&ctx, &credentials(&request, &form)?).await?;
    let token = form.required("token")?;
    let live = introspection::introspect(&ctx, &client, token.expose()).await?;
    Ok(unkept_json(StatusCode::OK, &body(&ctx, live)))
}

#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "read by the OpenAPI document alone")]
struct TokenForm {
    token: String,
    token_type_hint: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
}

/// Builds the response (RFC 7662 section 2.2). For a token that is not valid it has `active` alone.
fn body(ctx: &Ctx, live: Option<LiveToken>) -> Value {
    match live {
        None => json!({ "active": false }),
        Some(LiveToken::Access(access)) => {
            let mut body = serde_json::to_value(&access).unwrap_or_else(|_| json!({}));
            body["active"] = json!(true);
            let is_dpop = access.cnf.as_ref().is_some_and(|cnf| cnf.jkt.is_some());
            body["token_type"] = json!(if is_dpop { TokenScheme::Dpop } else { TokenScheme::Bearer }.as_str());
            body
        }
        Some(LiveToken::Refresh(refresh)) => {
            let LiveRefresh { token, grant, subject } = *refresh;
            let mut body = json!({
                "active": true,
                "iss": ctx.config.issuer,
                "sub": subject,
                "client_id": token.client_id,
                "sid": token.session,
                "scope": grant.scope,
                "iat": token.issued_at.seconds(),
                "exp": token.expires_at.seconds(),
            });
            if let Some(confirmation) = token.confirmation {
                body["cnf"] = json!(confirmation);
            }
            body
        }
    }
}
