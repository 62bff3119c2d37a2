//! What the token endpoint answers.

use std::time::Duration;

use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::Client;
use crate::protocol::{Scope, TokenScheme, scope};
use crate::tokens::{self, IdTokenInput};

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

/// The ID token that goes with `access_token`, where a person signs in to the client. The SimpleJWT-compatible API has
/// no position for one.
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
