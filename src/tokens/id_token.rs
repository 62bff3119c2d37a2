//! ID tokens (OpenID Connect Core 1.0 section 2): signing them, and reading them as a hint.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::subject;
use crate::ctx::Ctx;
use crate::digest;
use crate::error::Error;
use crate::model::{Client, ClientId, LiveSession, SessionId, SigningAlgorithm};
use crate::protocol::TokenType;

#[derive(Debug, Clone, Copy)]
pub struct IdTokenInput<'a> {
    pub session: &'a LiveSession,
    /// The `nonce` of the authorization request.
    pub nonce: Option<&'a str>,
    /// Claims that the client requested in the ID token by name.
    pub claims: &'a Map<String, Value>,
}

/// The claims in the order in which they are written.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: String,
    aud: &'a str,
    exp: i64,
    iat: i64,
    auth_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    acr: &'static str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    amr: &'a [String],
    at_hash: String,
    sid: SessionId,
    #[serde(flatten)]
    additional: &'a Map<String, Value>,
}

/// Signs the ID token that goes with `access_token`.
pub fn id_token(ctx: &Ctx, client: &Client, told: IdTokenInput<'_>, access_token: &str) -> Result<String, Error> {
    let algorithm = algorithm_for(ctx, client);
    let now = ctx.now().seconds();
    let lifetime = i64::try_from(ctx.config.tokens.id_token_lifetime.get().as_secs()).unwrap_or(i64::MAX);
    let grant = &told.session.record.grant;
    let claims = Claims {
        iss: &ctx.config.issuer,
        sub: subject(ctx, client, grant.user_id),
        aud: client.id.as_str(),
        exp: now.saturating_add(lifetime),
        iat: now,
        auth_time: grant.auth_time,
        nonce: told.nonce,
        acr: grant.acr.as_str(),
        amr: &grant.amr,
        at_hash: half_hash(algorithm, access_token),
        sid: told.session.id,
        additional: told.claims,
    };
    ctx.keys.sign(algorithm, TokenType::Id, &claims)
}

#[must_use]
pub fn algorithm_for(ctx: &Ctx, client: &Client) -> SigningAlgorithm {
    client.metadata.id_token_signed_response_alg.unwrap_or(ctx.config.keys.id_token_algorithm)
}

/// Computes `at_hash`: the left half of the hash that belongs to the signature algorithm (OpenID Connect Core 1.0
/// section 3.1.3.6).
fn half_hash(algorithm: SigningAlgorithm, token: &str) -> String {
    let token = token.as_bytes();
    match algorithm {
        SigningAlgorithm::Rs256 | SigningAlgorithm::Ps256 | SigningAlgorithm::Es256 => {
            URL_SAFE_NO_PAD.encode(&digest::sha256(token)[..16])
        }
        SigningAlgorithm::Es384 => URL_SAFE_NO_PAD.encode(&digest::sha384(token)[..24]),
        SigningAlgorithm::EdDsa => URL_SAFE_NO_PAD.encode(&digest::sha512(token)[..32]),
    }
}

/// The content of an ID token of this server that is used as a hint; it may have expired.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct IdToken {
    iss: String,
    /// The user as the client knows them.
    pub sub: String,
    aud: String,
    pub sid: SessionId,
}

impl IdToken {
    /// Returns whether it was issued to this client.
    #[must_use]
    pub fn is_for(&self, client: &Client) -> bool {
        self.aud == client.id.as_str()
    }

    #[must_use]
    pub fn client(&self) -> Option<ClientId> {
        self.aud.parse().ok()
    }
}

/// Reads an ID token of this server, expired or not (OpenID Connect RP-Initiated Logout 1.0 section 2). `None`: it is
/// not a valid one.
#[must_use]
pub fn read_id_token(ctx: &Ctx, token: &str) -> Option<IdToken> {
    let payload = ctx.keys.verifying_keys().signed_payload(token, TokenType::Id.as_str()).ok()?;
    let read: IdToken = serde_json::from_slice(&payload).ok()?;
    (read.iss == ctx.config.issuer).then_some(read)
}
