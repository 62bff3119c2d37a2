//! The rules of the token endpoint. The phases stand here, in order, for every grant; a grant is one file that fills in
//! its own part, so that none can forget a step.

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
