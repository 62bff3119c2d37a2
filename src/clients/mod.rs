//! Applications: how they prove who they are, and how they are added, changed and removed. The command line and the
//! admin API use the same rules.

pub mod authenticate;
mod add;
mod built_in;
mod change;
pub mod check;
mod manage;
mod secrets;

pub use add::{NewClient, add};
pub use authenticate::{Credentials, authenticate, identify};
pub use built_in::ensure_direct;
pub use change::{ClientChange, change};
pub use manage::{disable, enable, remove};
pub use secrets::{FormerSecret, rotate_secret};

use crate::ctx::Ctx;
use crate::model::Client;

/// Whom the client's access tokens are for: what it registered, or the house's own audience.
#[must_use]
pub fn audience_of(ctx: &Ctx, client: &Client) -> Vec<String> {
    if !client.audience.is_empty() {
        return client.audience.clone();
    }
    let house = if client.id.is_direct() { ctx.config.direct_audience() } else { &ctx.config.issuer };
    vec![house.to_owned()]
}

/// Whom the client's access tokens may be for: its audience, and this house itself where it may hold rights over it.
#[must_use]
pub fn allowed_audience(ctx: &Ctx, client: &Client) -> Vec<String> {
    let mut allowed = audience_of(ctx, client);
    if client.scope.concerns_the_house() && !allowed.contains(&ctx.config.issuer) {
        allowed.push(ctx.config.issuer.clone());
    }
    allowed
}
