//! Adds, changes and removes users. The command line and the admin API use the same rules.

mod change;
pub mod import;
pub mod manage;
mod profile;

pub use change::{UserChange, change};
pub use import::{ImportedUser, import, import_lines};
pub use manage::{NewUser, add, change_own_password, change_password, disable, enable, remove};
pub use profile::ProfileChange;
