//! The issuer over the network, against one that the tests have in their hands. The names of the tests are the
//! specification.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod actix;
mod bound;
mod discovery;
mod event_access;
mod events;
#[path = "../verify/signer.rs"]
#[expect(dead_code, reason = "the tests of the core use more of it")]
mod signer;
mod issuer;
mod keys;
mod lists;
mod security_event;
mod server;
mod status_list;
mod stream;
#[path = "../support/token.rs"]
mod token;
mod tower;
