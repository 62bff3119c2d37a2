//! Browser sessions: the sign-in of a user in a browser. A browser session groups the sessions that clients begin under
//! it, so that one sign-in serves them all and one logout ends them all.

mod begin;
mod browser;
mod end;
mod find;
mod list;
mod password;
mod sign_in;

pub use begin::{NewBrowserSession, begin};
pub use browser::Browser;
pub use end::{end, end_others, end_own};
pub use find::{LiveBrowserSession, find};
pub use list::of_user;
pub use password::{PasswordChange, change_password};
pub use sign_in::sign_in;
