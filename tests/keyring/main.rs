//! The keyring on a real database: starting, rotating, removing, and what breaks.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod test_keyring;
mod master_key;
mod pem_files;
mod invalid_states;
mod rotation;
mod two_instances;
