//! Access tokens (RFC 9068).

use std::time::Duration;

use serde::Serialize;

use super::{Audience, Reference, subject};
use crate::clock::Timestamp;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{Client, Confirmation, LiveSession, RotationRecord, SessionId};
use crate::protocol::{Scope, TokenScheme, TokenType};

/// The party on whose behalf the bearer acts.
#[derive(Debug, Clone, Copy)]
pub enum TokenSubject<'a> {
    /// The client itself (RFC 6749 section 4.4).
    Client {
        audience: &'a [String],
        /// Tokens that were issued before this are revoked; the new token is dated so that it is not.
        not_before: Timestamp,
        /// The key that the token is bound to, if any.
        confirmation: Option<Confirmation>,
    },
    Session(&'a LiveSession),
}

#[derive(Debug, Clone)]
pub struct AccessToken {
    pub token: String,
    pub lifetime: Duration,
    pub scheme: TokenScheme,
}

/// The claims in the order in which they are written.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: Audience<'a>,
    client_id: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
    status: Status,
    #[serde(skip_serializing_if = "str::is_empty")]
    scope: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<SessionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    amr: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    roles: &'a [String],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    groups: &'a [String],
    /// Required by SimpleJWT; set by the SimpleJWT-compatible API only.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    /// SimpleJWT's name of `sub`; set by the SimpleJWT-compatible API only.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cnf: Option<Confirmation>,
}

/// The `status` claim (IETF Token Status List, section 6.2).
#[derive(Serialize)]
struct Status {
    status_list: Reference,
}

/// Signs an access token of `client` for `bearer` with `scope`. It expires no later than the session.
pub fn access_token(ctx: &Ctx, client: &Client, bearer: TokenSubject<'_>, scope: &Scope) -> Result<AccessToken, Error> {
    let now = issued_at(ctx.now(), bearer);
    let lifetime = client.metadata.access_token_lifetime.unwrap_or(ctx.config.tokens.access_lifetime.get());
    let algorithm = client.metadata.access_token_signed_response_alg.unwrap_or(ctx.config.keys.access_token_algorithm);
    let exp = expiry(now, lifetime, bearer);
    let subject = match bearer {
        TokenSubject::Client { .. } => client.id.to_string(),
        TokenSubject::Session(session) => subject(ctx, client, session.record.grant.user_id),
    };
    let simplejwt = client.id.is_simplejwt();
    let mut claims = Claims {
        iss: &ctx.config.issuer,
        sub: &subject,
        aud: Audience::Many(&[]),
        client_id: client.id.as_str(),
        iat: now.seconds(),
        exp: exp.seconds(),
        jti: ctx.random.uuid().to_string(),
        status: status(ctx, client, bearer),
        scope: scope.as_str(),
        sid: None,
        auth_time: None,
        amr: &[],
        roles: &[],
        groups: &[],
        token_type: simplejwt.then_some("access"),
        user_id: simplejwt.then_some(&subject),
        cnf: confirmation(bearer),
    };
    match bearer {
        TokenSubject::Client { audience, .. } => claims.aud = Audience::of(audience),
        TokenSubject::Session(LiveSession { id, record: RotationRecord { grant, .. } }) => {
            claims.aud = Audience::of(&grant.audience);
            claims.sid = Some(*id);
            claims.auth_time = Some(grant.auth_time);
            claims.amr = &grant.amr;
            // A third-party application gets only the claims that the user has agreed to.
            if client.metadata.trusted || scope.contains("roles") {
                claims.roles = &grant.roles;
            }
            if client.metadata.trusted || scope.contains("groups") {
                claims.groups = &grant.groups;
            }
        }
    }
    let token = ctx.keys.sign(algorithm, TokenType::Access, &claims)?;
    let scheme = claims.cnf.map_or(TokenScheme::Bearer, Confirmation::scheme);
    Ok(AccessToken { token, lifetime: exp.since(now), scheme })
}

/// Refers to the session's status index, or to the client's where there is no session.
fn status(ctx: &Ctx, client: &Client, bearer: TokenSubject<'_>) -> Status {
    let status_index = match bearer {
        TokenSubject::Client { .. } => client.status_index,
        TokenSubject::Session(session) => session.record.grant.status_index,
    };
    Status { status_list: Reference::to(ctx, status_index) }
}

fn confirmation(bearer: TokenSubject<'_>) -> Option<Confirmation> {
    match bearer {
        TokenSubject::Client { confirmation, .. } => confirmation,
        TokenSubject::Session(session) => session.record.grant.confirmation,
    }
}

/// Computes `iat`. It has whole seconds, and a `not_before` has milliseconds. In the second of a revocation, a new
/// token is dated to the next second, because it would otherwise count as revoked.
fn issued_at(now: Timestamp, bearer: TokenSubject<'_>) -> Timestamp {
    let now = Timestamp::from_seconds(now.seconds());
    match bearer {
        TokenSubject::Client { not_before, .. } => now.max(not_before.rounded_up()),
        TokenSubject::Session(_) => now,
    }
}

fn expiry(now: Timestamp, lifetime: Duration, bearer: TokenSubject<'_>) -> Timestamp {
    let exp = now.plus(lifetime);
    match bearer {
        TokenSubject::Client { .. } => exp,
        TokenSubject::Session(session) => exp.min(session.record.ends_at),
    }
}
