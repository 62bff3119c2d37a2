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
pub use built_in::ensure_simplejwt;
pub use change::{change, may_narrow};
pub use manage::{disable, enable, remove};
pub use secrets::{PreviousSecret, rotate_secret};

use crate::ctx::Ctx;
use crate::gate::{self, Denial, GateRequest, Principal};
use crate::model::Client;
use crate::protocol::Scope;

/// Whether the gate opens to this principal for tokens of the client.
///
/// # Errors
/// Why it stays shut.
pub fn may_receive_tokens(
    ctx: &Ctx,
    client: &Client,
    principal: Principal<'_>,
    scope: &Scope,
    audience: &[String],
) -> Result<(), Denial> {
    let asked = GateRequest {
        scope,
        audience,
        allowed_audience: &allowed_audience(ctx, client),
        global_not_before: ctx.store.memory.global_not_before(),
        now: ctx.now(),
    };
    gate::may_receive_tokens(client, principal, asked)
}

/// Whom tokens of this scope are for that a client holds on a user's behalf.
#[must_use]
pub fn audience_for(ctx: &Ctx, client: &Client, scope: &Scope) -> Vec<String> {
    // What a stranger's application is granted is not for the services that go by the issuer's name.
    if !scope.concerns_this_server() && !client.metadata.trusted && client.metadata.audience.is_empty() {
        return vec![client.id.to_string()];
    }
    own_audience_for(ctx, client, scope)
}

/// Whom tokens of this scope are for that a client holds for itself: a token with rights over this server is for this
/// server alone, so that no other service can use it here.
#[must_use]
pub fn own_audience_for(ctx: &Ctx, client: &Client, scope: &Scope) -> Vec<String> {
    if scope.concerns_this_server() { vec![ctx.config.issuer.clone()] } else { audience_of(ctx, client) }
}

/// Whom the client's access tokens are for: what it registered, or the server's own audience.
#[must_use]
pub fn audience_of(ctx: &Ctx, client: &Client) -> Vec<String> {
    if !client.metadata.audience.is_empty() {
        return client.metadata.audience.clone();
    }
    let default = if client.id.is_simplejwt() { ctx.config.simplejwt_audience() } else { &ctx.config.issuer };
    vec![default.to_owned()]
}

/// Whom the client's access tokens may be for: its audience, and this server itself where it may hold rights over it.
#[must_use]
pub fn allowed_audience(ctx: &Ctx, client: &Client) -> Vec<String> {
    let mut allowed = audience_of(ctx, client);
    if !client.metadata.trusted && client.metadata.audience.is_empty() {
        allowed.push(client.id.to_string());
    }
    if client.metadata.scope.concerns_this_server() && !allowed.contains(&ctx.config.issuer) {
        allowed.push(ctx.config.issuer.clone());
    }
    allowed
}
