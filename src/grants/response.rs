//! The answers of the token endpoint.

use std::time::Duration;

use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::Client;
use crate::protocol::{Scope, TokenScheme, scope};
use crate::tokens::{self, IdTokenInput};

/// The successful answer of the token endpoint (RFC 6749 section 5.1).
#[derive(Debug, Clone)]
pub struct TokenResponse {
    pub access_token: String,
    pub token_type: TokenScheme,
    pub expires_in: Duration,
    pub scope: Scope,
    /// Present where the grant has a session and the client may refresh it.
    pub refresh_token: Option<String>,
    /// Present where the scope contains `openid` (OpenID Connect Core 1.0 section 3.1.3.3).
    pub id_token: Option<String>,
}

/// Signs the ID token that goes with `access_token`, if the scope contains `openid`. The SimpleJWT-compatible API has
/// no field for one.
pub(super) fn id_token(
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
