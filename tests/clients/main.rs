//! Real client libraries against the real program: discovery, code flow with PKCE, ID token, userinfo, refresh,
//! sign-out.

#![allow(unreachable_pub, clippy::unwrap_used, clippy::missing_panics_doc, reason = "tests")]

mod apache;
mod provider;
mod openidconnect;
mod recipes;
mod scripts;

use test_support as support;
