//! Authentication: how users prove who they are, and what they have to prove next.
//!
//! [`method`] lists the methods. Each method has a file here ([`password`]), and only that file creates [`Evidence`] of
//! it. [`next_step`] is the pure decision: done, another method, or a refusal. [`Authenticated`] is created only where
//! nothing more is needed, and browser sessions and sessions begin only from it. Nothing here depends on a page.

mod attempts;
mod authenticated;
mod method;
pub mod password;
mod step;
#[cfg(test)]
mod tests;

pub use attempts::count_request;
pub use authenticated::{Authenticated, Evidence};
pub use method::{Factor, Method, acr_values};
pub use password::Attempt;
pub use step::{Policy, Refusal, SecondFactor, Step, next_step};
