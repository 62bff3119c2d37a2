//! Client authentication, and adding, changing and removing clients. The command line and the admin API use the same
//! rules.

pub mod authenticate;
mod add;
mod built_in;
mod change;
pub mod check;
mod manage;
mod secrets;

pub use add::{NewClient, add};
pub use authenticate::{ClientAuthentication, authenticate, identify};
pub use built_in::ensure_simplejwt;
pub use change::{change, may_narrow};
pub use manage::{disable, enable, remove};
pub use secrets::{PreviousSecret, rotate_secret};
