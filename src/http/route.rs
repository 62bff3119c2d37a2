//! A route: method, path, endpoint, and who may pass. The table of all routes is in `routes.rs`; what it says is shared
//! with the checks and the OpenAPI document as a [`Table`].

use actix_web::http::Method;
use actix_web::{Resource, web};

/// Who may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Open,
    /// A person with a browser. What is refused them, they are told on a page.
    Person,
    /// A client that authenticates itself; the rule behind the endpoint sees to it.
    Client,
    /// The bearer of an access token with one of these scopes; `bearer.rs` sees to it before the endpoint.
    Bearer(&'static [&'static str]),
}

/// An endpoint.
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, with parameters in braces.
    pub path: &'static str,
    /// Who may pass.
    pub access: Access,
    /// Makes the endpoint.
    pub(super) handler: fn() -> actix_web::Route,
    /// Whether all that stands below the fixed part of the path comes to this endpoint, which reads the rest itself. It
    /// is then found without a regular expression, by which actix-web looks for parameters: that would be a quarter
    /// more work for an answer from memory. Paths with the same beginning stand above it.
    pub(super) takes_rest: bool,
}

/// The path of the endpoint that a request has come to, as the table has it.
#[derive(Debug, Clone, Copy)]
pub struct Pattern(pub &'static str);

/// All routes of the server, as the checks find them in the data of the service.
#[derive(Clone, Copy)]
pub struct Table(pub &'static [Route]);

impl Table {
    /// The scopes that open an endpoint to bearers; `None` for an endpoint that is not in the table or not for bearers.
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
    /// The route takes all that stands below the fixed part of its path. No check stands before such an endpoint, so it
    /// has to be open to all.
    pub(super) const fn taking_rest(mut self) -> Self {
        assert!(matches!(self.access, Access::Open), "nobody would check who comes to the rest of this path");
        self.takes_rest = true;
        self
    }
}

/// A resource whose requests know its [`Pattern`].
pub(super) fn resource(path: &'static str) -> Resource {
    web::resource(path).app_data(Pattern(path))
}

/// What may be got may also be asked for its headers (RFC 9110 section 9.3.2).
pub(super) fn own_method(method: &Method) -> &Method {
    if *method == Method::HEAD { &Method::GET } else { method }
}
