//! `/oauth2/userinfo` (OpenID Connect Core 1.0 section 5.3).

use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, HeaderValue,
};
use actix_web::{HttpRequest, HttpResponse};

use crate::error::Error;
use crate::http::Ctx;
use crate::http::error::{ProblemRefusal, RequestError};
use crate::http::form::Form;
use crate::http::presented_token::in_header;
use crate::token_status::PresentedToken;
use crate::token_status::userinfo::{self, UserInfo};

/// Returns the claims that the access token in the header opens.
#[utoipa::path(get, path = "/oauth2/userinfo", tag = "OpenID Connect",
    responses((status = 200, description = "claims, as JSON or as a signed JWT"), (status = 401), (status = 403), (status = 503)))]
pub async fn userinfo(ctx: Ctx, presented: Result<PresentedToken, ProblemRefusal>) -> HttpResponse {
    match presented {
        Ok(presented) => answer(userinfo::userinfo(&ctx, &presented).await.map_err(RequestError::from)),
        Err(ProblemRefusal(error)) => answer(Err(error)),
    }
}

/// Returns the claims by POST. The access token may be in the body (RFC 6750 section 2.2).
#[utoipa::path(post, path = "/oauth2/userinfo", tag = "OpenID Connect",
    request_body(content = inline(TokenForm), content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "claims, as JSON or as a signed JWT"), (status = 401), (status = 403), (status = 503)))]
pub async fn userinfo_by_post(ctx: Ctx, request: HttpRequest, form: Form) -> HttpResponse {
    let told = async {
        let presented = match (in_header(&request)?, form.secret("access_token")) {
            (Some(_), Some(_)) => return Err(Error::invalid_request("the access token is sent in two ways").into()),
            (Some(presented), None) => presented,
            (None, Some(token)) => PresentedToken::bearer(token),
            (None, None) => return Err(RequestError::NoToken),
        };
        Ok(userinfo::userinfo(&ctx, &presented).await?)
    };
    answer(told.await)
}

#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "read by the OpenAPI document alone")]
struct TokenForm {
    access_token: Option<String>,
}

/// Answers the CORS preflight (Fetch standard): a script of another site may send the header.
pub async fn preflight() -> HttpResponse {
    HttpResponse::NoContent()
        .insert_header((ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .insert_header((ACCESS_CONTROL_ALLOW_HEADERS, "authorization"))
        .finish()
}

/// Builds the response. Scripts of other sites may read it, refusals too.
fn answer(told: Result<UserInfo, RequestError>) -> HttpResponse {
    let mut answer = match told {
        Ok(UserInfo::Plain(claims)) => HttpResponse::Ok().json(claims),
        Ok(UserInfo::Signed(token)) => HttpResponse::Ok().insert_header((CONTENT_TYPE, "application/jwt")).body(token),
        Err(error) => HttpResponse::from_error(ProblemRefusal(error)),
    };
    let headers = answer.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    answer
}
