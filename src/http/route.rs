//! A route: method, path, endpoint and access. The table of all routes is in `routes.rs`. The bearer check and the
//! OpenAPI document read it as a [`Table`].

use actix_web::http::Method;
use actix_web::{Resource, web};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Open,
    /// A user with a browser. A refusal is shown as a page.
    Person,
    /// A client that authenticates itself. The rule behind the endpoint checks it.
    Client,
    /// The bearer of an access token with one of these scopes. `bearer.rs` checks it before the endpoint runs.
    Bearer(&'static [&'static str]),
}

pub struct Route {
    pub method: Method,
    /// The path, with parameters in braces.
    pub path: &'static str,
    pub access: Access,
    pub(super) handler: fn() -> actix_web::Route,
    /// Whether the endpoint takes every path below the fixed part and parses the rest itself. It is then found without
    /// the regular expression that actix-web uses for parameters, which would cost a quarter more for an answer from
    /// memory. Paths with the same beginning come earlier in the table.
    pub(super) takes_rest: bool,
}

/// The path of the matched endpoint, as the table has it.
#[derive(Debug, Clone, Copy)]
pub struct Pattern(pub &'static str);

#[derive(Clone, Copy)]
pub struct Table(pub &'static [Route]);

impl Table {
    /// Returns the scopes that open an endpoint to bearers; `None` where it is not in the table or not for bearers.
    #[must_use]
    pub fn scopes_for(self, method: &Method, path: &str) -> Option<&'static [&'static str]> {
        let route = self.0.iter().find(|route| route.method == *own_method(method) && route.path == path)?;
        match route.access {
            Access::Bearer(scopes) => Some(scopes),
            Access::Open | Access::Person | Access::Client => None,
        }
    }
}

pub(super) const fn get(path: &'static str, access: Access, handler: fn() -> actix_web::Route) -> Route {
    Route { method: Method::GET, path, access, handler, takes_rest: false }
}

pub(super) const fn post(path: &'static str, access: Access, handler: fn() -> actix_web::Route) -> Route {
    Route { method: Method::POST, path, access, handler, takes_rest: false }
}

pub(super) const fn options(path: &'static str, access: Access, handler: fn() -> actix_web::Route) -> Route {
    Route { method: Method::OPTIONS, path, access, handler, takes_rest: false }
}

pub(super) const fn patch(path: &'static str, access: Access, handler: fn() -> actix_web::Route) -> Route {
    Route { method: Method::PATCH, path, access, handler, takes_rest: false }
}

pub(super) const fn delete(path: &'static str, access: Access, handler: fn() -> actix_web::Route) -> Route {
    Route { method: Method::DELETE, path, access, handler, takes_rest: false }
}

impl Route {
    /// Makes the route take every path below the fixed part. No check wraps such an endpoint, so it must be open to
    /// all.
    pub(super) const fn taking_rest(mut self) -> Self {
        assert!(matches!(self.access, Access::Open), "nobody would check who comes to the rest of this path");
        self.takes_rest = true;
        self
    }
}

pub(super) fn resource(path: &'static str) -> Resource {
    web::resource(path).app_data(Pattern(path))
}

/// Maps HEAD to GET: what answers GET also answers HEAD (RFC 9110 section 9.3.2).
pub(super) fn own_method(method: &Method) -> &Method {
    if *method == Method::HEAD { &Method::GET } else { method }
}
