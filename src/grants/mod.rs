//! The rules of the token endpoint. The phases stand here, in order, for every grant; a grant is one file that fills in
//! its own part, so that none can forget a step.

mod authorization_code;
mod client_credentials;
mod simplejwt;
mod refresh_token;

use std::time::Duration;

use crate::clients::{self, ClientAuthentication};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::gate::{self, Denial, Principal};
use crate::model::{Client, Confirmation, PossessionProof, Secret};
use crate::protocol::{ErrorCode, GrantType, Scope, TokenScheme, scope};
use crate::tokens::{self, IdTokenInput};

pub use authorization_code::CodeExchange;
pub use simplejwt::{SignIn, TokenPair, obtain, renew};

/// What a client asks of the token endpoint.
#[derive(Debug)]
pub struct TokenRequest {
    /// Who asks.
    pub credentials: ClientAuthentication,
    /// What the sender has proven to hold: what is issued is bound to it, and what is bound is exchanged only with it.
    pub proof: Option<PossessionProof>,
    /// What for.
    pub grant: Grant,
}

/// What tokens are exchanged for (RFC 6749 sections 4.1.3, 4.4.2 and 6).
#[derive(Debug)]
pub enum Grant {
    /// `grant_type=authorization_code`.
    AuthorizationCode(CodeExchange),
    /// `grant_type=client_credentials`.
    ClientCredentials {
        /// Less than everything that the client may be granted, if it says so.
        scope: Option<Scope>,
        /// `resource` (RFC 8707), a subset of the client's audience.
        resource: Vec<String>,
    },
    /// `grant_type=refresh_token`.
    RefreshToken {
        /// The token.
        refresh_token: Secret,
        /// Less than what was granted, for the access token only.
        scope: Option<Scope>,
    },
}

/// What the token endpoint answers (RFC 6749 section 5.1).
#[derive(Debug, Clone)]
pub struct TokenResponse {
    /// `access_token`.
    pub access_token: String,
    /// `token_type`.
    pub token_type: TokenScheme,
    /// `expires_in`.
    pub expires_in: Duration,
    /// `scope`.
    pub scope: Scope,
    /// `refresh_token`, where the grant has a session.
    pub refresh_token: Option<String>,
    /// `id_token`, where a person signed in (OpenID Connect Core 1.0 section 3.1.3.3).
    pub id_token: Option<String>,
}

/// The token endpoint, whole: who asks, may they ask for this, what is decided, minted and settled.
///
/// # Errors
/// As RFC 6749 section 5.2 has them; each is decided in one of the phases.
pub async fn exchange(ctx: &Ctx, request: TokenRequest) -> Result<TokenResponse, Error> {
    let TokenRequest { credentials, proof, grant } = request;
    let client = clients::authenticate(ctx, &credentials).await?;
    if client.id.is_simplejwt() {
        return Err(Error::oauth(ErrorCode::UnauthorizedClient, "this client belongs to the SimpleJWT-compatible API"));
    }
    may_use(&client, grant.grant_type())?;
    match grant {
        Grant::AuthorizationCode(presented) => authorization_code::exchange(ctx, &client, presented, proof).await,
        Grant::ClientCredentials { scope, resource } => {
            client_credentials::exchange(ctx, &client, scope, &resource, proof)
        }
        Grant::RefreshToken { refresh_token, scope } => {
            refresh_token::exchange(ctx, &client, &refresh_token, scope, proof).await
        }
    }
}

impl Grant {
    /// `grant_type`.
    #[must_use]
    pub const fn grant_type(&self) -> GrantType {
        match self {
            Self::AuthorizationCode(_) => GrantType::AuthorizationCode,
            Self::ClientCredentials { .. } => GrantType::ClientCredentials,
            Self::RefreshToken { .. } => GrantType::RefreshToken,
        }
    }
}

fn may_use(client: &Client, grant: GrantType) -> Result<(), Error> {
    if client.may_use(grant) {
        Ok(())
    } else {
        Err(Error::oauth(ErrorCode::UnauthorizedClient, "the client is not registered for this grant"))
    }
}

/// Passes when what a code or a refresh token is bound to has been proven.
fn check_possession(bound: Option<Confirmation>, proof: Option<PossessionProof>) -> Result<(), Error> {
    if bound.is_none_or(|bound| bound.is_proven_by(proof)) {
        return Ok(());
    }
    Err(Error::invalid_grant("this is bound to a key, and the request does not prove that the client holds it"))
}

/// Passes the gate on behalf of a grant.
fn pass_gate(
    ctx: &Ctx,
    client: &Client,
    principal: Principal<'_>,
    scope: &Scope,
    audience: &[String],
) -> Result<(), Error> {
    gate::check(ctx, client, principal, scope, audience).map_err(refusal)
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

/// The ID token that goes with `access_token`, where a person signs in to the client. The SimpleJWT-compatible API has
/// no position for one.
fn id_token(
    ctx: &Ctx,
    client: &Client,
    scope: &Scope,
    told: IdTokenInput<'_>,
    access_token: &str,
) -> Result<Option<String>, Error> {
    if client.id.is_simplejwt() || !scope.contains(scope::OPENID) {
        return Ok(None);
    }
    tokens::id_token(ctx, client, told, access_token).map(Some)
}

/// The part of `granted` that is asked for; all of it where nothing is.
fn narrow(granted: &Scope, asked: Option<Scope>) -> Result<Scope, Error> {
    match asked {
        None => Ok(granted.clone()),
        Some(asked) if asked.is_within(granted) => Ok(asked),
        Some(_) => Err(Error::invalid_scope("more is asked for than may be granted")),
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
