//! The OpenAPI document, made from the endpoints themselves.

use actix_web::HttpResponse;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::pages::{self, handlers};
use super::routes::{self, Access, Route};
use super::{admin, oauth, simplejwt};

/// The document of every endpoint.
#[derive(OpenApi)]
#[openapi(
    info(title = "Tokenhouse", description = "OAuth 2.1 and OpenID Connect token issuing service"),
    modifiers(&Security),
    paths(
        simplejwt::obtain, simplejwt::refresh, simplejwt::verify, simplejwt::blacklist,
        oauth::token::token, oauth::introspect::introspect, oauth::revoke::revoke,
        oauth::metadata::metadata, oauth::metadata::configuration, oauth::jwks::jwks,
        oauth::status_list::status_list, oauth::status_list::status_lists, document,
        oauth::authorize::authorize, oauth::authorize::authorize_by_post, oauth::authorize::resume,
        oauth::logout::logout, oauth::logout::logout_by_post,
        oauth::event_stream::follow,
        oauth::userinfo::userinfo, oauth::userinfo::userinfo_by_post,
        admin::sessions::list, admin::sessions::show, admin::sessions::end, admin::sessions::revoke,
        admin::browser_sessions::list, admin::browser_sessions::end,
        admin::users::list, admin::users::add, admin::users::import, admin::users::show, admin::users::change,
        admin::users::remove,
        admin::users::disable, admin::users::enable, admin::users::password,
        admin::clients::list, admin::clients::add, admin::clients::show, admin::clients::change,
        admin::clients::remove, admin::clients::disable, admin::clients::enable, admin::clients::rotate_secret,
        pages::assets::asset,
        handlers::login::show, handlers::login::submit, handlers::choice::show, handlers::choice::submit,
        handlers::consent::show, handlers::consent::submit, handlers::account::show, handlers::account::end_browser_session,
        handlers::account::end_others, handlers::account::withdraw, handlers::password::submit,
        handlers::logout::show, handlers::logout::submit,
        admin::keys::list, admin::keys::rotate, admin::keys::import, admin::keys::remove, admin::audit::list,
    )
)]
struct Document;

/// Who may pass each endpoint, as the table of routes says it.
struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        for (name, scheme) in [("bearer", HttpAuthScheme::Bearer), ("client", HttpAuthScheme::Basic)] {
            components.add_security_scheme(name, SecurityScheme::Http(Http::new(scheme)));
        }
        for route in routes::ALL {
            let item = document.paths.paths.get_mut(route.path);
            if let Some(operation) = item.and_then(|item| operation(item, route)) {
                operation.security = requirements(route.access);
            }
        }
    }
}

fn operation<'item>(item: &'item mut PathItem, route: &Route) -> Option<&'item mut Operation> {
    match route.method.as_str() {
        "GET" => item.get.as_mut(),
        "POST" => item.post.as_mut(),
        "PATCH" => item.patch.as_mut(),
        "DELETE" => item.delete.as_mut(),
        _ => None,
    }
}

/// Each requirement alone is enough.
fn requirements(access: Access) -> Option<Vec<SecurityRequirement>> {
    match access {
        Access::Open | Access::Person => None,
        // A client may authenticate in the body instead of the header.
        Access::Client => Some(vec![SecurityRequirement::new("client", [""; 0]), SecurityRequirement::default()]),
        Access::Bearer(scopes) => {
            Some(scopes.iter().map(|scope| SecurityRequirement::new("bearer", [*scope])).collect())
        }
    }
}

/// The document as JSON.
#[must_use]
pub fn json() -> String {
    Document::openapi().to_pretty_json().unwrap_or_else(|_| "{}".to_owned())
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "OAuth 2.1", responses((status = 200)))]
pub async fn document() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(json())
}
