//! Sessions: how they begin, how their refresh tokens rotate, how they end.
//!
//! [`rotation`] is the pure decision, [`refresh`] settles it, [`end`] ends, [`status_indexes`] sets bits in the status
//! lists, and `regrant` brings the user's present rights into them. Tokens are minted by the grants above.

pub mod begin;
pub mod describe;
pub mod end;
pub mod status_indexes;
pub mod refresh;
mod regrant;
pub mod rotation;

pub use begin::{Beginning, NewSession, Proof, Settled, Under, begin, settle};
pub use describe::{SessionView, describe};
pub use end::{Applied, Receipt, end_each, end_matching, end_one, end_one_as};
pub use refresh::{peek, rotate};
pub use regrant::{end_those_over_the_house, regrant, regrant_one};
pub use rotation::Rules;
