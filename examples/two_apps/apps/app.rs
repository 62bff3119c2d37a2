//! An application and its state.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard};
use std::time::SystemTime;

use openidconnect::{Nonce, PkceCodeVerifier};

/// An application and its signed-in users.
pub(crate) struct App {
    pub(crate) name: String,
    /// The base URL.
    pub(crate) address: String,
    pub(super) issuer: String,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    pub(super) memory: Mutex<Memory>,
}

/// The state that a real application keeps in a database.
#[derive(Default)]
pub(super) struct Memory {
    /// The pending sign-ins, by `state`.
    pub(super) begun: HashMap<String, Begun>,
    /// The signed-in users, by the value of their cookie.
    pub(super) people: HashMap<String, Person>,
    /// The `jti` of each logout token, so that none counts twice.
    pub(super) notices: HashSet<String>,
}

/// A pending sign-in. Only the browser that began it can finish it.
pub(super) struct Begun {
    pub(super) browser: String,
    pub(super) nonce: Nonce,
    pub(super) verifier: PkceCodeVerifier,
}

/// A signed-in user.
#[derive(Clone)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) sub: String,
    pub(super) sid: Option<String>,
    pub(super) scopes: Vec<String>,
    pub(super) access_token_ends: Option<SystemTime>,
    pub(super) id_token: String,
}

impl App {
    /// Makes an application with the client that `serve --dev` adds for this name.
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

    pub(super) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
