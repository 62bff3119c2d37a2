//! The endpoints: the only module that knows actix-web. An endpoint translates a request into the words of a rule and
//! the rule's answer into a response; if it needs an `if` about OAuth, the `if` belongs into a rule.
//!
//! [`routes`] has every URL of the server on one screen. Endpoints for people with a browser are in `browser/`, those for
//! machines in `api/`, `admin/` and `simplejwt/`; `pages/` only renders. A module uses only the modules below it in this
//! list; `tests/layers` keeps that.

pub mod routes;
pub mod openapi;
pub mod ops;
// Endpoints: for people, for machines.
pub mod browser;
pub mod admin;
pub mod api;
pub mod simplejwt;
// What people see.
pub mod pages;
// What endpoints are made with.
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

/// How long the headers of a request may take to arrive.
pub const HEADER_TIME: std::time::Duration = std::time::Duration::from_secs(5);

/// How long an idle connection is kept: longer than proxies keep theirs, so that they never send into a closed one.
pub const KEEP_ALIVE: std::time::Duration = std::time::Duration::from_secs(75);

/// How long the other side of a connection may take nothing of what is sent, before the connection is given up.
pub const UNREAD_TIME: std::time::Duration = std::time::Duration::from_secs(30);

/// The public service, with every endpoint of [`routes::ALL`]. It is not bound to an address yet.
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

/// The service for operators: health and metrics.
#[must_use]
pub fn operations(state: ops::Operations) -> HttpServerBuilder {
    let state = web::Data::new(state);
    HttpServerBuilder(Box::new(move |config: &mut ServiceConfig| {
        config.app_data(state.clone());
        ops::mount(config);
    }))
}

/// A service that waits for its listener.
pub struct HttpServerBuilder(Box<dyn Fn(&mut ServiceConfig) + Send + Sync>);

/// How a service listens.
pub struct Listening {
    /// The socket, bound already, so that a wrong address is reported before anything starts.
    pub listener: std::net::TcpListener,
    /// TLS, or plain HTTP behind a proxy.
    pub tls: Option<rustls::ServerConfig>,
    /// Threads; 0 for one per core.
    pub workers: usize,
    /// How long requests in flight may take after a stop.
    pub drain: std::time::Duration,
    /// Whether the service is shutting down.
    pub draining: Arc<AtomicBool>,
}

impl HttpServerBuilder {
    /// Starts serving. Signals are the caller's business.
    ///
    /// # Errors
    /// When the socket cannot be used.
    pub fn start(self, listening: Listening) -> std::io::Result<actix_web::dev::Server> {
        let mount = Arc::new(self.0);
        let draining = listening.draining;
        let mut server = HttpServer::new(move || {
            let (mount, draining) = (mount.clone(), draining.clone());
            App::new()
                .wrap(from_fn(request_log::log))
                // The last one is the outermost, so that this completes the refusals of the others, too.
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
