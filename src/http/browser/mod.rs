//! The endpoints of users with a browser. They pass the input to a rule and show its result.

pub mod account;
pub mod assets;
pub mod authorize;
pub mod choose_account;
pub mod consent;
pub mod cookies;
pub mod end_session;
pub mod errors;
pub mod form;
mod interaction;
pub mod logout;
mod next;
pub mod password;
pub mod sign_in;
