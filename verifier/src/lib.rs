#![doc = include_str!("../README.md")]

mod access_token;
mod algorithm;
mod claims;
mod header;
mod jwk;
mod key_set;
mod object;
mod refusal;
mod verifier;

pub use access_token::{AccessToken, Confirmation, Status, StatusListEntry};
pub use algorithm::Algorithm;
pub use jwk::Jwk;
pub use key_set::{KeySet, KeySetError};
pub use refusal::{Part, Refusal};
pub use verifier::Verifier;
