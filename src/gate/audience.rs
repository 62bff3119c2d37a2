//! The audience of tokens (`aud`): a function of the client, the scope and the configuration.
//!
//! It belongs to the gate, which compares a token's audience with the client's current one, and is therefore below
//! `clients`.

use crate::ctx::Ctx;
use crate::model::Client;
use crate::protocol::Scope;

/// Returns the audience of tokens of this scope that a client holds on a user's behalf.
#[must_use]
pub fn of_user_tokens(ctx: &Ctx, client: &Client, scope: &Scope) -> Vec<String> {
    // The services that go by the issuer's name do not accept the tokens of a third-party application.
    if !scope.concerns_this_server() && !client.metadata.trusted && client.metadata.audience.is_empty() {
        return vec![client.id.to_string()];
    }
    of_client_tokens(ctx, client, scope)
}

/// Returns the audience of tokens of this scope that a client holds for itself. A token with a scope of this server is
/// for this server alone, so that no other service can use it here.
#[must_use]
pub fn of_client_tokens(ctx: &Ctx, client: &Client, scope: &Scope) -> Vec<String> {
    if scope.concerns_this_server() { vec![ctx.config.issuer.clone()] } else { registered_or_default(ctx, client) }
}

/// Returns the audience that the client has registered, or the server's default.
#[must_use]
pub fn registered_or_default(ctx: &Ctx, client: &Client) -> Vec<String> {
    if !client.metadata.audience.is_empty() {
        return client.metadata.audience.clone();
    }
    let default = if client.id.is_simplejwt() { ctx.config.simplejwt_audience() } else { &ctx.config.issuer };
    vec![default.to_owned()]
}

/// Returns every audience that the client's access tokens may have: its own, and this server where the client may be
/// granted a scope of it.
#[must_use]
pub fn allowed(ctx: &Ctx, client: &Client) -> Vec<String> {
    let mut allowed = registered_or_default(ctx, client);
    if !client.metadata.trusted && client.metadata.audience.is_empty() {
        allowed.push(client.id.to_string());
    }
    if client.metadata.scope.concerns_this_server() && !allowed.contains(&ctx.config.issuer) {
        allowed.push(ctx.config.issuer.clone());
    }
    allowed
}
