//! Whether a client may have what it asks for: the checks that every grant has in common.

use crate::clients;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::gate::{Denial, Principal};
use crate::model::Client;
use crate::protocol::{ErrorCode, GrantType, Scope};

pub(super) fn may_use(client: &Client, grant: GrantType) -> Result<(), Error> {
    if client.may_use(grant) {
        Ok(())
    } else {
        Err(Error::oauth(ErrorCode::UnauthorizedClient, "the client is not registered for this grant"))
    }
}

/// The part of `granted` that is asked for; all of it where nothing is.
pub(super) fn narrow(granted: &Scope, asked: Option<Scope>) -> Result<Scope, Error> {
    match asked {
        None => Ok(granted.clone()),
        Some(asked) if asked.is_within(granted) => Ok(asked),
        Some(_) => Err(Error::invalid_scope("more is asked for than may be granted")),
    }
}

/// Passes the gate on behalf of a grant.
pub(super) fn pass_gate(
    ctx: &Ctx,
    client: &Client,
    principal: Principal<'_>,
    scope: &Scope,
    audience: &[String],
) -> Result<(), Error> {
    clients::may_receive_tokens(ctx, client, principal, scope, audience).map_err(refusal)
}

/// What a client is told when the gate stays shut (RFC 6749 section 5.2, RFC 8707 section 2).
fn refusal(shut: Denial) -> Error {
    match shut {
        Denial::ClientDisabled => Error::oauth(ErrorCode::InvalidClient, "client authentication failed"),
        Denial::ClientNotBefore
        | Denial::GlobalNotBefore
        | Denial::UserAbsent
        | Denial::UserDisabled
        | Denial::UserNotBefore
        | Denial::SessionEnded
        | Denial::SessionOver => Error::invalid_grant("the session is over"),
        Denial::ScopeWithdrawn => Error::invalid_scope("the client may not be granted this scope"),
        Denial::AudienceWithdrawn => {
            Error::oauth(ErrorCode::InvalidTarget, "the client's tokens may not be for this resource")
        }
    }
}
