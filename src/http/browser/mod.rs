//! The endpoints of a person with a browser: what they send in is handed to a rule, and what the rule answers is shown.

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
