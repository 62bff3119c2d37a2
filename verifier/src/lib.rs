#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod access_token;
#[cfg(feature = "actix")]
pub mod actix;
mod algorithm;
mod answer;
#[cfg(any(feature = "actix", feature = "tower"))]
mod bearer;
mod claims;
mod compact;
mod dpop;
mod header;
mod jwk;
mod key_set;
mod key_set_error;
mod object;
mod proof;
mod refusal;
#[cfg(feature = "remote")]
pub mod remote;
mod security_event;
mod status_list;
#[cfg(feature = "tower")]
pub mod tower;
mod verifier;

pub use access_token::{AccessToken, Confirmation, Status, StatusListEntry};
pub use algorithm::Algorithm;
#[cfg(any(feature = "actix", feature = "tower"))]
pub use bearer::Rejection;
pub use dpop::{DpopProof, ProofFlaw, ProofUse, ReplayMemory};
pub use jwk::Jwk;
pub use key_set::KeySet;
pub use key_set_error::KeySetError;
pub use proof::Proof;
pub use refusal::{Part, Refusal};
#[cfg(feature = "remote")]
pub use remote::Issuer;
pub use security_event::{SecurityEvent, SecurityEventError, SecurityEventToken};
pub use status_list::{StatusList, StatusListError};
pub use verifier::Verifier;
