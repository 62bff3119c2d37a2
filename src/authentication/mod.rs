//! Authentication: how users prove who they are.

pub mod password;

pub use password::{Attempt, SignedInUser, sign_in};
