//! Refresh tokens. They are signed with a key that only this server has. They are a function of the rotation record
//! alone, so that the current token can be minted again, byte for byte.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{ClientId, Confirmation, Generation, LiveSession, SessionId};

/// The content of a refresh token with a valid signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    pub session: SessionId,
    pub generation: Generation,
    /// The branch of the generation before it.
    pub parent_branch: u32,
    pub client_id: ClientId,
    /// `iat`, in whole seconds.
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
    /// `cnf`: the key that the sender has to prove, if the token is bound to one.
    pub confirmation: Option<Confirmation>,
}

/// The claims in the order in which they are written. There is no `sub`, because a client with pairwise subjects could
/// read it.
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

/// The tolerance for differing clocks of two instances, in seconds.
const LEEWAY: i64 = 60;

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

/// Reads a refresh token: checks signature, type, issuer, audience and expiry. It uses no store.
///
/// # Errors
/// `invalid_grant` for anything that is not an unexpired refresh token of this server.
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

/// Derives `jti` from the session and the generation, so that a repeated token has the same one without storage.
fn jti(ctx: &Ctx, session: SessionId, generation: Generation) -> String {
    let text = format!("{session} {} {}", generation.number, generation.branch);
    uuid::Builder::from_custom_bytes(ctx.keys.derive("refresh token jti", text.as_bytes())).into_uuid().to_string()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}
