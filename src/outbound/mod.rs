//! Requests that this server makes. The only module that knows reqwest.
//!
//! [`Outbound`] is the one way for the service: whom it may reach stands in [`guard`]. [`fetch`] is for somebody at the
//! command line, who may reach whatever their own machine reaches.

mod client;
mod fetch;
mod guard;

pub use client::Outbound;
pub use fetch::fetch;
