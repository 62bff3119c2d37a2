//! The pages that people see: plain HTML forms that work without scripts. A page is `x.rs` (what it is about, and the
//! one function that answers with it), `x.html` (its template) and its sentences in `texts/`.
//!
//! Nothing here decides anything: whether a password is right or an application may have what it asks for, the rules
//! say. The endpoints that people come through stand in `browser/`.
//!
//! Headers are set in [`page_context`] and nowhere else; what a browser may load stands in `policy.rs`. `gallery.rs`
//! writes every page in every state to a folder, to be looked at.

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
