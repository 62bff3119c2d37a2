//! The issuer over the network: keys and status lists that keep themselves up to date, in the background.
//!
//! [`Issuer`] is what a service holds. What it knows of the issuer lies in memory (`known`), and verifying a token
//! looks there and nowhere else. Three followers bring it up to date: `keys` reads the JWKS, `lists` the status lists,
//! `events` what the issuer tells as it happens. They ask only addresses that the issuer's metadata names (`metadata`),
//! never one that a token names.

mod builder;
mod clock;
mod discovery_error;
mod events;
mod held_list;
mod http;
mod issuer;
mod key_refresher;
mod keys;
mod known_state;
mod lists;
mod metadata;
mod origins;
mod pace;
mod shared;
mod sse;
mod stream_token;
mod event_coverage;

pub use builder::{IssuerBuilder, OnStale};
pub use discovery_error::DiscoveryError;
pub use issuer::Issuer;
