//! The checks that all grants share.

use crate::ctx::Ctx;
use crate::error::Error;
use crate::gate::{self, Denial, Principal};
use crate::model::{Client, Confirmation, PossessionProof};
use crate::protocol::{ErrorCode, GrantType, Scope};

pub(super) fn may_use(client: &Client, grant: GrantType) -> Result<(), Error> {
    if client.may_use(grant) {
        Ok(())
    } else {
        Err(Error::oauth(ErrorCode::UnauthorizedClient, "the client is not registered for this grant"))
    }
}

/// Returns the requested part of `granted`, or all of it if there is no request.
pub(super) fn narrow(granted: &Scope, asked: Option<Scope>) -> Result<Scope, Error> {
    match asked {
        None => Ok(granted.clone()),
        Some(asked) if asked.is_within(granted) => Ok(asked),
        Some(_) => Err(Error::invalid_scope("more is asked for than may be granted")),
    }
}

/// Checks that the sender has proven the key that a code or a refresh token is bound to.
pub(super) fn check_possession(bound: Option<Confirmation>, proof: Option<PossessionProof>) -> Result<(), Error> {
    if bound.is_none_or(|bound| bound.is_proven_by(proof)) {
        return Ok(());
    }
    Err(Error::invalid_grant("this is bound to a key, and the request does not prove that the client holds it"))
}

pub(super) fn pass_gate(
    ctx: &Ctx,
    client: &Client,
    principal: Principal<'_>,
    scope: &Scope,
    audience: &[String],
) -> Result<(), Error> {
    gate::check(ctx, client, principal, scope, audience).map_err(refusal)
}

/// Maps a denial to the client's error (RFC 6749 section 5.2, RFC 8707 section 2).
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Thumbprint;

    #[test]
    fn what_is_bound_is_exchanged_by_nobody_but_who_holds_the_key() {
        let [key, other] = [1, 2].map(|byte| Confirmation::DpopKey(Thumbprint::of([byte; 32])));
        let certificate = Confirmation::Certificate(Thumbprint::of([1; 32]));
        for (bound, proven, passes) in [
            (None, None, true),
            (None, Some(key), true),
            (Some(key), Some(key), true),
            (Some(key), None, false),
            (Some(key), Some(other), false),
            (Some(key), Some(certificate), false),
            (Some(certificate), Some(certificate), true),
            (Some(certificate), None, false),
        ] {
            let checked = check_possession(bound, proven.map(|proven| PossessionProof { proven }));

            let refused = checked.as_ref().is_err_and(|error| error.oauth_code() == Some(ErrorCode::InvalidGrant));
            assert_eq!((checked.is_ok(), refused), (passes, !passes), "{bound:?} by {proven:?}");
        }
    }
}
