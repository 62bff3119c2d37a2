//! People: signing in, and adding, changing and removing them. The command line and the admin API use the same rules.

pub mod import;
pub mod manage;
pub mod sign_in;

pub use import::{ImportedUser, import};
pub use manage::{NewUser, add, change_password, disable, enable, remove};
pub use sign_in::{Attempt, SignedIn, sign_in};
