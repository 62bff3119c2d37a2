//! Requests that this house makes. The only room that knows reqwest.
//!
//! [`Outbound`] is the one way for the service: whom it may reach stands in [`guard`]. [`fetch`] is for somebody at the
//! command line, who may reach whatever their own machine reaches.

mod client;
mod fetch;
mod guard;

pub use client::Outbound;
pub use fetch::fetch;

/// An error and everything behind it, without the address that was called.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text.push_str(": ");
        text.push_str(&source.to_string());
        cause = source.source();
    }
    text
}
