//! Real client libraries against the real program: discovery, code flow with PKCE, ID token, userinfo, refresh,
//! sign-out.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::missing_panics_doc, reason = "tests")]

mod apache;
#[path = "provider.rs"]
mod test_server;
mod openidconnect;
mod recipes;
mod scripts;

#[path = "../support/lib.rs"]
mod support;
