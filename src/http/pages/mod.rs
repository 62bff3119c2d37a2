//! The pages that users see: plain HTML forms that work without scripts. A page consists of `x.rs` (its content, and
//! the function that renders it), `x.html` (its template) and its texts in `texts/`.
//!
//! This module decides nothing: rules decide whether a password is right and what an application gets. The endpoints
//! are in `browser/`.
//!
//! The security headers of a page are set in [`page_context`] only; `policy.rs` decides what a browser may load.
//! `gallery.rs` writes every page in every state to a folder, for review.

mod application;
pub(super) mod brand;
mod contrast;
mod user_agent;
mod language;
mod page_context;
mod relative_time;
mod policy;
mod problem;
mod scopes;
mod templates;
mod texts;

mod account;
mod choose_account;
mod consent;
mod form_post;
mod sign_in;
mod logout;
mod error_page;

#[cfg(test)]
mod gallery;

pub use account::{Account, AccountNotice, ConnectedApplication, PasswordProblem, SignedInBrowser, account};
pub use application::Application;
pub use brand::Brand;
pub use choose_account::{ChooseAccount, choose_account};
pub use consent::{Consent, consent};
pub use error_page::error_page;
pub use form_post::{FormPost, form_post};
pub use language::Language;
pub use logout::{LoggedOutPage, LogoutPage, logout, signed_out};
pub use page_context::PageContext;
pub use problem::Problem;
pub use sign_in::{SignIn, sign_in};
