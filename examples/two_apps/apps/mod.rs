//! An application that leaves signing in to Tokenhouse.

mod handlers;
mod page;
mod provider;
mod sign_out_notice;

use std::collections::{HashMap, HashSet};
use std::net::TcpListener;
use std::sync::{Mutex, MutexGuard};
use std::time::SystemTime;

use actix_web::{HttpServer, dev::Server, web};
use openidconnect::{Nonce, PkceCodeVerifier};

/// One application, and whom it knows.
pub(crate) struct App {
    pub(crate) name: String,
    /// Where it is reached.
    pub(crate) address: String,
    issuer: String,
    client_id: String,
    client_secret: String,
    memory: Mutex<Memory>,
}

/// What it would keep in a database of its own.
#[derive(Default)]
struct Memory {
    /// Sign-ins that have begun, by `state`.
    begun: HashMap<String, Begun>,
    /// People who are signed in, by the value of their cookie.
    people: HashMap<String, Person>,
    /// The `jti` of each sign-out notice, so that none counts twice.
    notices: HashSet<String>,
}

/// A sign-in that has begun. It can be finished only by the browser that began it.
struct Begun {
    browser: String,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
}

/// Somebody who is signed in.
#[derive(Clone)]
struct Person {
    name: String,
    sub: String,
    sid: Option<String>,
    scopes: Vec<String>,
    access_token_ends: Option<SystemTime>,
    id_token: String,
}

impl App {
    /// An application of that name, with the client that `serve --dev` has added for it.
    pub(crate) fn new(issuer: &str, name: &str, address: &str) -> Self {
        let short = name.to_lowercase();
        Self {
            name: name.to_owned(),
            address: address.to_owned(),
            issuer: issuer.to_owned(),
            client_id: format!("demo-{short}"),
            client_secret: format!("demo-{short}-secret-that-everybody-knows"),
            memory: Mutex::default(),
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Serves the application.
pub(crate) fn serve(app: App, listener: TcpListener) -> std::io::Result<Server> {
    let app = web::Data::new(app);
    let server = HttpServer::new(move || actix_web::App::new().app_data(app.clone()).configure(handlers::all));
    Ok(server.workers(1).listen(listener)?.run())
}
