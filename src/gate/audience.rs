//! Whom tokens are for (`aud`): a function of the client, the scope and the configuration.
//!
//! It stands with the gate, which asks whom the client's tokens may be for now, and therefore below `clients`.

use crate::ctx::Ctx;
use crate::model::Client;
use crate::protocol::Scope;

/// Whom tokens of this scope are for that a client holds on a user's behalf.
#[must_use]
pub fn of_user_tokens(ctx: &Ctx, client: &Client, scope: &Scope) -> Vec<String> {
    // What a stranger's application is granted is not for the services that go by the issuer's name.
    if !scope.concerns_this_server() && !client.metadata.trusted && client.metadata.audience.is_empty() {
        return vec![client.id.to_string()];
    }
    of_client_tokens(ctx, client, scope)
}

/// Whom tokens of this scope are for that a client holds for itself: a token with rights over this server is for this
/// server alone, so that no other service can use it here.
#[must_use]
pub fn of_client_tokens(ctx: &Ctx, client: &Client, scope: &Scope) -> Vec<String> {
    if scope.concerns_this_server() { vec![ctx.config.issuer.clone()] } else { registered_or_default(ctx, client) }
}

/// Whom the client's access tokens are for: what it registered, or the server's own audience.
#[must_use]
pub fn registered_or_default(ctx: &Ctx, client: &Client) -> Vec<String> {
    if !client.metadata.audience.is_empty() {
        return client.metadata.audience.clone();
    }
    let default = if client.id.is_simplejwt() { ctx.config.simplejwt_audience() } else { &ctx.config.issuer };
    vec![default.to_owned()]
}

/// Whom the client's access tokens may be for: its audience, and this server itself where it may hold rights over it.
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
