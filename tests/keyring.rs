//! The keyring on a real ledger: starting, rotating, removing, and what breaks.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, reason = "these are tests")]

#[path = "keyring/house.rs"]
mod house;
#[path = "keyring/master_key.rs"]
mod master_key;
#[path = "keyring/pem_files.rs"]
mod pem_files;
#[path = "keyring/rotation.rs"]
mod rotation;
#[path = "keyring/two_instances.rs"]
mod two_instances;
