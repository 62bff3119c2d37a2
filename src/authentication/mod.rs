//! Authentication: how users prove who they are, and what they have to prove next.
//!
//! [`method`] lists the methods; each has a file of its own here, which alone makes [`Evidence`] of it ([`password`]).
//! [`next_step`] is the pure decision: enough, another method, or a refusal. [`Authenticated`] is made only where it
//! says that nothing more is needed, and browser sessions and sessions begin only from it. Nothing here sees a page.

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
