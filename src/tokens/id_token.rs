//! ID tokens (OpenID Connect Core 1.0 section 2), and reading them again as a hint.

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

/// Whom an ID token tells of, and of what.
#[derive(Debug, Clone, Copy)]
pub struct IdTokenInput<'a> {
    /// The session.
    pub session: &'a LiveSession,
    /// Repeated from the authorization request.
    pub nonce: Option<&'a str>,
    /// Claims that were asked for in the ID token by name.
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
///
/// # Errors
/// [`Error::Unavailable`] when no key may sign, [`Error::Internal`] when signing fails.
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

/// What the client's ID tokens are signed with.
#[must_use]
pub fn algorithm_for(ctx: &Ctx, client: &Client) -> SigningAlgorithm {
    client.metadata.id_token_signed_response_alg.unwrap_or(ctx.config.keys.id_token_algorithm)
}

/// The left half of the hash that goes with the signature (OpenID Connect Core 1.0 section 3.1.3.6).
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

/// What an ID token of this server says, whenever it was issued.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct IdToken {
    iss: String,
    /// The person, as the client knows them.
    pub sub: String,
    aud: String,
    /// The session that it was issued for.
    pub sid: SessionId,
}

impl IdToken {
    /// Whether this client was given it.
    #[must_use]
    pub fn is_for(&self, client: &Client) -> bool {
        self.aud == client.id.as_str()
    }

    /// Which client was given it.
    #[must_use]
    pub fn client(&self) -> Option<ClientId> {
        self.aud.parse().ok()
    }
}

/// Reads an ID token of this server, expired or not (OpenID Connect RP-Initiated Logout 1.0 section 2). `None`: it is
/// none.
#[must_use]
pub fn read_id_token(ctx: &Ctx, token: &str) -> Option<IdToken> {
    let payload = ctx.keys.verifying_keys().signed_payload(token, TokenType::Id.as_str()).ok()?;
    let read: IdToken = serde_json::from_slice(&payload).ok()?;
    (read.iss == ctx.config.issuer).then_some(read)
}
