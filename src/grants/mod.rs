//! The token endpoint's rules. [`exchange`] runs the common phases in order for every grant; each grant is one file
//! with its own part.

mod authorization_code;
mod client_credentials;
mod permission;
mod refresh_token;
mod response;
mod simplejwt;

use crate::clients::{self, ClientAuthentication};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{PossessionProof, Secret};
use crate::protocol::{ErrorCode, GrantType, Scope};

pub use authorization_code::CodeExchange;
use permission::may_use;
pub use response::TokenResponse;
pub use simplejwt::{SignIn, TokenPair, obtain, renew};

#[derive(Debug)]
pub struct TokenRequest {
    pub credentials: ClientAuthentication,
    /// The key that the sender has proven to hold. New tokens are bound to it, and a bound code or token is exchanged
    /// only with it.
    pub proof: Option<PossessionProof>,
    pub grant: Grant,
}

/// The grant and its parameters (RFC 6749 sections 4.1.3, 4.4.2 and 6).
#[derive(Debug)]
pub enum Grant {
    AuthorizationCode(CodeExchange),
    ClientCredentials {
        /// A subset of the scope that the client may be granted.
        scope: Option<Scope>,
        /// `resource` (RFC 8707): a subset of the client's audience.
        resource: Vec<String>,
    },
    RefreshToken {
        refresh_token: Secret,
        /// A subset of the granted scope, for the access token only.
        scope: Option<Scope>,
    },
}

/// Authenticates the client, checks that it may use the grant, and exchanges it for tokens.
///
/// # Errors
/// The error codes of RFC 6749 section 5.2.
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
    #[must_use]
    pub const fn grant_type(&self) -> GrantType {
        match self {
            Self::AuthorizationCode(_) => GrantType::AuthorizationCode,
            Self::ClientCredentials { .. } => GrantType::ClientCredentials,
            Self::RefreshToken { .. } => GrantType::RefreshToken,
        }
    }
}
