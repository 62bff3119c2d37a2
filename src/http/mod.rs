//! The endpoints: the only module that uses actix-web. An endpoint translates a request into the input of a rule, and
//! the rule's result into a response. A decision about OAuth belongs in a rule, not in an endpoint.
//!
//! [`routes`] lists every URL of the server. Endpoints for users with a browser are in `browser/`, those for machines
//! in `api/`, `admin/` and `simplejwt/`; `pages/` only renders. A module uses only the modules below it in this list,
//! which `tests/layers` checks.

pub mod routes;
pub mod openapi;
pub mod ops;
// Endpoints: for users with a browser, for machines.
pub mod browser;
pub mod admin;
pub mod api;
pub mod simplejwt;
pub mod pages;
// What endpoints share.
pub mod request_log;
pub mod bearer;
pub mod client_auth;
pub mod presented_token;
mod authorization_header;
pub mod user_agent;
pub mod client_ip;
pub mod redirect;
pub mod form;
pub mod response;
pub mod error;
pub mod route;
mod ctx;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use actix_web::dev::Service;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{App, HttpResponse, HttpServer};

use crate::ctx::SharedCtx;

pub use ctx::Ctx;

/// The longest time that the headers of a request may take to arrive.
pub const HEADER_TIME: std::time::Duration = std::time::Duration::from_secs(5);

/// The time that an idle connection is kept. It is longer than proxies keep theirs, so that a proxy never sends into a
/// closed connection.
pub const KEEP_ALIVE: std::time::Duration = std::time::Duration::from_secs(75);

/// The longest time that the peer of a connection may accept no data before the connection is given up.
pub const UNREAD_TIME: std::time::Duration = std::time::Duration::from_secs(30);

/// Builds the public service, with every endpoint of [`routes::ALL`]. It is not bound to an address yet.
#[must_use]
pub fn public(ctx: &SharedCtx, brand: pages::Brand) -> HttpServerBuilder {
    let ctx = ctx.clone();
    let brand = web::Data::new(brand);
    HttpServerBuilder(Box::new(move |config: &mut ServiceConfig| {
        config.app_data(web::Data::from(ctx.clone()));
        config.app_data(brand.clone());
        routes::mount(config);
    }))
}

/// Builds the service for operators: health and metrics.
#[must_use]
pub fn operations(state: ops::Operations) -> HttpServerBuilder {
    let state = web::Data::new(state);
    HttpServerBuilder(Box::new(move |config: &mut ServiceConfig| {
        config.app_data(state.clone());
        ops::mount(config);
    }))
}

pub struct HttpServerBuilder(Box<dyn Fn(&mut ServiceConfig) + Send + Sync>);

pub struct Listening {
    /// The socket, bound already, so that a wrong address is reported before anything starts.
    pub listener: std::net::TcpListener,
    /// `None` for plain HTTP behind a proxy.
    pub tls: Option<rustls::ServerConfig>,
    /// The number of worker threads; 0 for one per core.
    pub workers: usize,
    /// The longest time that requests in flight may take after a stop.
    pub drain: std::time::Duration,
    pub draining: Arc<AtomicBool>,
}

impl HttpServerBuilder {
    /// Starts serving. The caller handles signals.
    pub fn start(self, listening: Listening) -> std::io::Result<actix_web::dev::Server> {
        let mount = Arc::new(self.0);
        let draining = listening.draining;
        let mut server = HttpServer::new(move || {
            let (mount, draining) = (mount.clone(), draining.clone());
            App::new()
                .wrap(from_fn(request_log::log))
                // The middleware that is added last is the outermost, so this one also completes the refusals of the
                // others.
                .wrap_fn(move |request, next| {
                    let (answering, draining) = (next.call(request), draining.clone());
                    async move { answering.await.map(|answer| response::complete(answer, &draining)) }
                })
                .configure(move |config| (*mount)(config))
                .default_service(web::to(nothing_here))
        })
        .disable_signals()
        .client_request_timeout(HEADER_TIME)
        .keep_alive(KEEP_ALIVE)
        .shutdown_timeout(listening.drain.as_secs().max(1));
        if listening.workers > 0 {
            server = server.workers(listening.workers);
        }
        let server = match listening.tls {
            Some(tls) => server.listen_rustls_0_23(listening.listener, tls)?,
            None => server.listen(listening.listener)?,
        };
        Ok(server.run())
    }
}

async fn nothing_here() -> HttpResponse {
    error::problem(actix_web::http::StatusCode::NOT_FOUND, "there is nothing at this address")
}
