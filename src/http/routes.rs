//! Every URL of the server and who may call it. An endpoint that is not in this table does not exist.

use std::future::ready;

use actix_web::HttpResponse;
use actix_web::guard::{self, Guard};
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, ServiceConfig};

use super::route::{Access, Pattern, Route, Table, delete, get, options, own_method, patch, post, resource};
use super::{admin, api, bearer, browser, error, openapi, simplejwt};
use crate::protocol::scope;

const EVENTS: Access = Access::Bearer(&[scope::EVENTS]);
const READ: Access = Access::Bearer(&[scope::ADMIN, scope::ADMIN_READ]);
const WRITE: Access = Access::Bearer(&[scope::ADMIN]);
const SESSIONS_READ: Access = Access::Bearer(&[scope::ADMIN, scope::ADMIN_READ, scope::SESSIONS]);
const SESSIONS_WRITE: Access = Access::Bearer(&[scope::ADMIN, scope::SESSIONS]);

use Access::{Client, Open, Person};

/// The table of routes. A path is compared from the top, so the most requested paths come first.
pub const ALL: &[Route] = &[
    // OAuth 2.1 and OpenID Connect.
    get("/.well-known/jwks.json", Open, || web::to(api::jwks::jwks)),
    get("/status", Open, || web::to(api::status_list::status_lists)),
    get("/status/events", EVENTS, || web::to(api::event_stream::follow)),
    get("/status/{list}", Open, || web::to(api::status_list::status_list)).taking_rest(),
    post("/oauth2/token", Client, || web::to(api::token::token)),
    post("/oauth2/introspect", Client, || web::to(api::introspect::introspect)),
    get("/oauth2/authorize", Person, || web::to(browser::authorize::authorize)),
    post("/oauth2/authorize", Person, || web::to(browser::authorize::authorize_by_post)),
    get("/oauth2/authorize/{interaction}", Person, || web::to(browser::authorize::resume)),
    get("/oauth2/logout", Person, || web::to(browser::end_session::logout)),
    post("/oauth2/logout", Person, || web::to(browser::end_session::logout_by_post)),
    get("/oauth2/userinfo", Open, || web::to(api::userinfo::userinfo)),
    post("/oauth2/userinfo", Open, || web::to(api::userinfo::userinfo_by_post)),
    options("/oauth2/userinfo", Open, || web::to(api::userinfo::preflight)),
    post("/oauth2/revoke", Client, || web::to(api::revoke::revoke)),
    get("/.well-known/openid-configuration", Open, || web::to(api::metadata::configuration)),
    get("/.well-known/oauth-authorization-server", Open, || web::to(api::metadata::metadata)),
    get("/openapi.json", Open, || web::to(openapi::document)),
    // The SimpleJWT-compatible API, with and without the trailing slash.
    post("/api/token", Open, || web::to(simplejwt::obtain)),
    post("/api/token/", Open, || web::to(simplejwt::obtain)),
    post("/api/token/refresh", Open, || web::to(simplejwt::refresh)),
    post("/api/token/refresh/", Open, || web::to(simplejwt::refresh)),
    post("/api/token/verify", Open, || web::to(simplejwt::verify)),
    post("/api/token/verify/", Open, || web::to(simplejwt::verify)),
    post("/api/token/blacklist", Open, || web::to(simplejwt::blacklist)),
    post("/api/token/blacklist/", Open, || web::to(simplejwt::blacklist)),
    // Pages and their files.
    get("/login", Person, || web::to(browser::sign_in::show)),
    post("/login", Person, || web::to(browser::sign_in::submit)),
    get("/login/account", Person, || web::to(browser::choose_account::show)),
    post("/login/account", Person, || web::to(browser::choose_account::submit)),
    get("/consent", Person, || web::to(browser::consent::show)),
    post("/consent", Person, || web::to(browser::consent::submit)),
    get("/account", Person, || web::to(browser::account::show)),
    post("/account/browser-sessions/end", Person, || web::to(browser::account::end_browser_session)),
    post("/account/browser-sessions/end-others", Person, || web::to(browser::account::end_others)),
    post("/account/applications/withdraw", Person, || web::to(browser::account::withdraw)),
    get("/logout", Person, || web::to(browser::logout::show)),
    post("/logout", Person, || web::to(browser::logout::submit)),
    post("/account/password", Person, || web::to(browser::password::submit)),
    get("/assets/{name}", Open, || web::to(browser::assets::asset)),
    // The admin API.
    get("/admin/v1/sessions", SESSIONS_READ, || web::to(admin::sessions::list)),
    get("/admin/v1/sessions/{sid}", SESSIONS_READ, || web::to(admin::sessions::show)),
    delete("/admin/v1/sessions/{sid}", SESSIONS_WRITE, || web::to(admin::sessions::end)),
    post("/admin/v1/revocations", SESSIONS_WRITE, || web::to(admin::sessions::revoke)),
    get("/admin/v1/browser-sessions", SESSIONS_READ, || web::to(admin::browser_sessions::list)),
    delete("/admin/v1/browser-sessions/{id}", SESSIONS_WRITE, || web::to(admin::browser_sessions::end)),
    get("/admin/v1/users", READ, || web::to(admin::users::list)),
    post("/admin/v1/users", WRITE, || web::to(admin::users::add)),
    post("/admin/v1/users/import", WRITE, || web::to(admin::users::import)),
    get("/admin/v1/users/{id}", READ, || web::to(admin::users::show)),
    patch("/admin/v1/users/{id}", WRITE, || web::to(admin::users::change)),
    delete("/admin/v1/users/{id}", WRITE, || web::to(admin::users::remove)),
    post("/admin/v1/users/{id}/disable", WRITE, || web::to(admin::users::disable)),
    post("/admin/v1/users/{id}/enable", WRITE, || web::to(admin::users::enable)),
    post("/admin/v1/users/{id}/password", WRITE, || web::to(admin::users::password)),
    get("/admin/v1/clients", READ, || web::to(admin::clients::list)),
    post("/admin/v1/clients", WRITE, || web::to(admin::clients::add)),
    get("/admin/v1/clients/{id}", READ, || web::to(admin::clients::show)),
    patch("/admin/v1/clients/{id}", WRITE, || web::to(admin::clients::change)),
    delete("/admin/v1/clients/{id}", WRITE, || web::to(admin::clients::remove)),
    post("/admin/v1/clients/{id}/disable", WRITE, || web::to(admin::clients::disable)),
    post("/admin/v1/clients/{id}/enable", WRITE, || web::to(admin::clients::enable)),
    post("/admin/v1/clients/{id}/rotate-secret", WRITE, || web::to(admin::clients::rotate_secret)),
    get("/admin/v1/keys", READ, || web::to(admin::keys::list)),
    post("/admin/v1/keys/rotate", WRITE, || web::to(admin::keys::rotate)),
    post("/admin/v1/keys/import", WRITE, || web::to(admin::keys::import)),
    delete("/admin/v1/keys/{kid}", WRITE, || web::to(admin::keys::remove)),
    get("/admin/v1/audit", READ, || web::to(admin::audit::list)),
];

pub const TABLE: Table = Table(ALL);

/// Mounts every endpoint. Endpoints for bearers are wrapped in the check of `bearer.rs`, which reads the table.
pub fn mount(config: &mut ServiceConfig) {
    config.app_data(Data::new(TABLE));
    for (position, first) in ALL.iter().enumerate() {
        if ALL[..position].iter().all(|route| route.path != first.path) {
            mount_path(config, first.path);
        }
    }
}

fn mount_path(config: &mut ServiceConfig, path: &'static str) {
    let routes: Vec<&Route> = ALL.iter().filter(|route| route.path == path).collect();
    let guarded = routes.iter().any(|route| matches!(route.access, Access::Bearer(_)));
    let personal = routes.iter().any(|route| route.access == Access::Person);
    let allowed: Vec<&str> = routes.iter().map(|route| route.method.as_str()).collect();
    let allowed = allowed.join(", ");
    let mut resource = resource(path).default_service(web::to(move || ready(wrong_method(&allowed))));
    for route in routes {
        if let (true, Some((fixed, _))) = (route.takes_rest, path.split_once("/{")) {
            let rest = web::scope(fixed).guard(opens(route)).app_data(Pattern(path));
            config.service(rest.default_service((route.handler)()));
        }
        resource = resource.route((route.handler)().guard(opens(route)));
    }
    if guarded {
        config.service(resource.app_data(admin::paging::query_config()).wrap(from_fn(bearer::require)));
    } else if personal {
        config.service(resource.wrap(from_fn(browser::errors::show_refusals)));
    } else {
        config.service(resource);
    }
}

/// Guards an endpoint by its method. A GET endpoint also answers HEAD (RFC 9110 section 9.3.2), except one for users:
/// it may act for the user, for example issue a code.
fn opens(route: &Route) -> impl Guard + use<> {
    let (method, for_people) = (route.method.clone(), route.access == Access::Person);
    guard::fn_guard(move |request| {
        let asked = &request.head().method;
        *asked == method || !for_people && *own_method(asked) == method
    })
}

/// Answers 405 with the methods that the path has (RFC 9110 section 15.5.6).
fn wrong_method(allowed: &str) -> HttpResponse {
    let mut refusal = error::problem(StatusCode::METHOD_NOT_ALLOWED, "this address does not know this method");
    if let Ok(allowed) = HeaderValue::from_str(allowed) {
        refusal.headers_mut().insert(ALLOW, allowed);
    }
    refusal
}
