//! The OpenAPI document, generated from the endpoints.

use actix_web::HttpResponse;
use actix_web::web::Data;
use utoipa::OpenApi;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};

use super::route::{Access, Route, Table};
use super::{admin, api, browser, simplejwt};

#[derive(OpenApi)]
#[openapi(
    info(title = "Tokenhouse", description = "OAuth 2.1 and OpenID Connect token issuing service"),
    paths(
        simplejwt::obtain,
        simplejwt::refresh,
        simplejwt::verify,
        simplejwt::blacklist,
        api::token::token,
        api::introspect::introspect,
        api::revoke::revoke,
        api::metadata::metadata,
        api::metadata::configuration,
        api::jwks::jwks,
        api::status_list::status_list,
        api::status_list::status_lists,
        document,
        browser::authorize::authorize,
        browser::authorize::authorize_by_post,
        browser::authorize::resume,
        browser::end_session::logout,
        browser::end_session::logout_by_post,
        api::event_stream::follow,
        api::userinfo::userinfo,
        api::userinfo::userinfo_by_post,
        admin::sessions::list,
        admin::sessions::show,
        admin::sessions::end,
        admin::sessions::revoke,
        admin::browser_sessions::list,
        admin::browser_sessions::end,
        admin::users::list,
        admin::users::add,
        admin::users::import,
        admin::users::show,
        admin::users::change,
        admin::users::remove,
        admin::users::disable,
        admin::users::enable,
        admin::users::password,
        admin::clients::list,
        admin::clients::add,
        admin::clients::show,
        admin::clients::change,
        admin::clients::remove,
        admin::clients::disable,
        admin::clients::enable,
        admin::clients::rotate_secret,
        browser::assets::asset,
        browser::sign_in::show,
        browser::sign_in::submit,
        browser::choose_account::show,
        browser::choose_account::submit,
        browser::consent::show,
        browser::consent::submit,
        browser::account::show,
        browser::account::end_browser_session,
        browser::account::end_others,
        browser::account::withdraw,
        browser::password::submit,
        browser::logout::show,
        browser::logout::submit,
        admin::keys::list,
        admin::keys::rotate,
        admin::keys::import,
        admin::keys::remove,
        admin::audit::list,
    )
)]
struct Document;

/// Adds who may call each endpoint, from the table of routes.
fn add_security(document: &mut utoipa::openapi::OpenApi, Table(routes): Table) {
    let components = document.components.get_or_insert_default();
    for (name, scheme) in [("bearer", HttpAuthScheme::Bearer), ("client", HttpAuthScheme::Basic)] {
        components.add_security_scheme(name, SecurityScheme::Http(Http::new(scheme)));
    }
    for route in routes {
        let item = document.paths.paths.get_mut(route.path);
        if let Some(operation) = item.and_then(|item| operation(item, route)) {
            operation.security = requirements(route.access);
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

/// Returns the security requirements, each of which alone is enough.
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

#[must_use]
pub fn json(table: Table) -> String {
    let mut document = Document::openapi();
    add_security(&mut document, table);
    document.to_pretty_json().unwrap_or_else(|_| "{}".to_owned())
}

/// Returns this OpenAPI document.
#[utoipa::path(get, path = "/openapi.json", tag = "OAuth 2.1", responses((status = 200)))]
pub async fn document(table: Data<Table>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(json(**table))
}
