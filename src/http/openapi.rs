//! The OpenAPI document, made from the doors themselves.

use actix_web::HttpResponse;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{admin, direct, oauth};

/// The document of every door.
#[derive(OpenApi)]
#[openapi(
    info(title = "Tokenhouse", description = "OAuth 2.1 and OpenID Connect token issuing service"),
    modifiers(&Bearer),
    paths(
        direct::obtain, direct::refresh, direct::verify, direct::blacklist,
        oauth::token::token, oauth::introspect::introspect, oauth::revoke::revoke,
        oauth::metadata::metadata, oauth::jwks::jwks,
        admin::sessions::list, admin::sessions::show, admin::sessions::end, admin::sessions::revoke,
        admin::users::list, admin::users::add, admin::users::show, admin::users::remove,
        admin::users::disable, admin::users::enable, admin::users::password,
        admin::clients::list, admin::clients::add, admin::clients::show, admin::clients::change,
        admin::clients::remove, admin::clients::disable, admin::clients::enable, admin::clients::rotate_secret,
        admin::keys::list, admin::keys::rotate, admin::keys::remove, admin::audit::list,
    )
)]
struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        components.add_security_scheme("bearer", scheme);
    }
}

/// The document as JSON.
#[must_use]
pub fn json() -> String {
    Document::openapi().to_pretty_json().unwrap_or_else(|_| "{}".to_owned())
}

/// `GET /openapi.json`.
pub async fn document() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(json())
}
