//! Refresh tokens: signed so that only this server can read them, and a function of the rotation record alone, so
//! that the current one can be minted again, byte for byte.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{ClientId, Confirmation, Generation, LiveSession, SessionId};

/// What a good signature says of a refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// The session that it renews.
    pub session: SessionId,
    /// Which of the session's tokens it is.
    pub generation: Generation,
    /// Which re-issue of the generation before it was made from.
    pub parent_branch: u32,
    /// Who may present it.
    pub client_id: ClientId,
    /// `iat`, to the second.
    pub issued_at: Timestamp,
    /// `exp`.
    pub expires_at: Timestamp,
    /// `cnf`: the key that whoever presents it has to prove, where it is bound to one.
    pub confirmation: Option<Confirmation>,
}

/// The claims in the order in which they are written. There is no `sub`: a client that knows people by pairwise names
/// could read it.
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    client_id: ClientId,
    jti: String,
    iat: i64,
    exp: i64,
    sid: SessionId,
    #[serde(rename = "gen")]
    number: u64,
    branch: u32,
    #[serde(default, skip_serializing_if = "is_zero")]
    parent_branch: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cnf: Option<Confirmation>,
}

/// Clocks of two instances may differ by this much, in seconds, without an honest token being refused.
const LEEWAY: i64 = 60;

/// Signs the current refresh token of the session.
///
/// # Errors
/// [`Error::Internal`] when signing fails.
pub fn refresh_token(ctx: &Ctx, session: &LiveSession) -> Result<String, Error> {
    let LiveSession { id, record } = session;
    let claims = Claims {
        iss: ctx.config.issuer.clone(),
        aud: ctx.config.issuer.clone(),
        client_id: record.grant.client_id.clone(),
        jti: jti(ctx, *id, record.current),
        iat: record.issued_at.seconds(),
        exp: record.expires_at.seconds(),
        sid: *id,
        number: record.current.number,
        branch: record.current.branch,
        parent_branch: record.ancestors.first().map_or(0, |parent| parent.branch),
        cnf: record.grant.confirmation,
    };
    ctx.keys.sign_refresh(&claims)
}

/// Reads a refresh token: signature, type, issuer, audience, identifier and expiry. No state is asked.
///
/// # Errors
/// `invalid_grant` for anything that is not a refresh token of this server with time left.
pub fn read_refresh_token(ctx: &Ctx, token: &str) -> Result<RefreshToken, Error> {
    let refuse = || Error::invalid_grant("the refresh token is not valid here");
    let claims: Claims = ctx.keys.open_refresh(token).ok_or_else(refuse)?;
    let generation = Generation { number: claims.number, branch: claims.branch };
    let ours = claims.iss == ctx.config.issuer && claims.aud == ctx.config.issuer;
    if !ours {
        return Err(refuse());
    }
    if ctx.now().seconds() >= claims.exp.saturating_add(LEEWAY) {
        return Err(Error::invalid_grant("the refresh token has expired"));
    }
    Ok(RefreshToken {
        session: claims.sid,
        generation,
        parent_branch: claims.parent_branch,
        client_id: claims.client_id,
        issued_at: Timestamp::from_seconds(claims.iat),
        expires_at: Timestamp::from_seconds(claims.exp),
        confirmation: claims.cnf,
    })
}

/// `jti` follows from the session and the generation, so that it need not be kept to be repeated.
fn jti(ctx: &Ctx, session: SessionId, generation: Generation) -> String {
    let text = format!("{session} {} {}", generation.number, generation.branch);
    uuid::Builder::from_custom_bytes(ctx.keys.derive("refresh token jti", text.as_bytes())).into_uuid().to_string()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}
