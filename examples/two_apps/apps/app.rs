//! One application and its memory.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard};
use std::time::SystemTime;

use openidconnect::{Nonce, PkceCodeVerifier};

/// One application, and whom it knows.
pub(crate) struct App {
    pub(crate) name: String,
    /// Where it is reached.
    pub(crate) address: String,
    pub(super) issuer: String,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    pub(super) memory: Mutex<Memory>,
}

/// What it would keep in a database of its own.
#[derive(Default)]
pub(super) struct Memory {
    /// Sign-ins that have begun, by `state`.
    pub(super) begun: HashMap<String, Begun>,
    /// People who are signed in, by the value of their cookie.
    pub(super) people: HashMap<String, Person>,
    /// The `jti` of each sign-out notice, so that none counts twice.
    pub(super) notices: HashSet<String>,
}

/// A sign-in that has begun. It can be finished only by the browser that began it.
pub(super) struct Begun {
    pub(super) browser: String,
    pub(super) nonce: Nonce,
    pub(super) verifier: PkceCodeVerifier,
}

/// Somebody who is signed in.
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

    pub(super) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
