//! Outgoing HTTP requests. Only this module uses reqwest.
//!
//! The server sends all of its requests through [`Outbound`]; [`guard`] decides which addresses it may call. [`fetch`]
//! serves the command line, which may call every address that the operator's machine reaches.

mod client;
mod fetch;
mod guard;

pub use client::Outbound;
pub use fetch::fetch;
