//! The issuer over the network: keys and status lists that keep themselves up to date, in the background.
//!
//! A service holds an [`Issuer`]. What is known of the issuer is in memory (`known_state`), and verifying a token reads
//! nothing else. Three followers keep it up to date: `keys` reads the JWKS, `lists` the status lists, and `events` the
//! event stream. They send requests only to addresses that the issuer's metadata or its list of lists names
//! (`metadata`, `lists`), never to one that a token names.

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
