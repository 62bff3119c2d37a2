//! Sessions: how they begin, how their refresh tokens rotate, how they end.
//!
//! [`rotation`] is the pure decision and [`refresh`] settles it. [`end`] ends sessions, [`status_indexes`] sets bits in
//! the status lists, and `refresh_claims` copies the user's current roles and groups into the rotation records. Tokens
//! are minted by `grants`, in a layer above.

pub mod begin;
pub mod describe;
pub mod end;
pub mod status_indexes;
pub mod refresh;
mod refresh_claims;
pub mod rotation;

pub use begin::{NewSession, ParentBrowserSession, PreparedSession, Proof, SettleOutcome, begin, settle};
pub use describe::{SessionView, describe};
pub use end::{Applied, Receipt, end_each, end_matching, end_one, end_one_as};
pub use refresh::{peek, rotate};
pub use refresh_claims::{end_those_over_this_server, refresh_claims, refresh_one};
pub use rotation::Rules;
