//! What is accepted and what is refused. The names of the tests are the specification.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod accepted;
mod claims;
mod dpop;
mod forms;
mod headers;
mod signer;
mod key_sets;
mod signatures;
#[path = "../support/token.rs"]
mod token;
