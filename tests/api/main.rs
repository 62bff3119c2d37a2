//! The server through its endpoints: a whole service per test, on every backend. One file a capability; names are
//! sentences.

#![allow(unreachable_pub, clippy::unwrap_used, clippy::missing_panics_doc, reason = "tests")]

mod authorization_code;
mod authorization_request;
mod bound_tokens;
mod browser;
mod certification;
mod client_auth;
mod admin;
mod simplejwt;
mod discovery;
mod logout_receiver;
mod introspection;
mod backchannel_logout;
mod matrix;
mod oauth;
mod malformed_bodies;
mod refresh;
mod refresh_policy;
mod refresh_store;
mod sign_in;
mod event_stream;
mod status_lists;
mod authorization;
mod single_sign_on;
mod logout;
mod logs;
mod ops;
mod pages;
mod rotation_under_load;
mod token_kinds;
mod transport;

use test_support as support;
use test_support::{quiet_instance, test_server};
