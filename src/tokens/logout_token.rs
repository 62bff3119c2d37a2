//! Logout tokens (OpenID Connect Back-Channel Logout 1.0 section 2.4).

use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{algorithm_for, subject};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{BackchannelLogout, Client, SessionId};
use crate::protocol::TokenType;

/// The lifetime of a logout token, in seconds. Section 4 advises this value; a token is made anew for each try.
const LIFETIME: i64 = 120;

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// The claims in the order in which they are written. A `nonce` is forbidden, so that a logout token cannot pass for an
/// ID token.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: String,
    aud: &'a str,
    iat: i64,
    exp: i64,
    jti: Uuid,
    events: Map<String, Value>,
    sid: SessionId,
}

/// Signs a logout token with the client's ID token algorithm and a type of its own.
pub fn logout_token(ctx: &Ctx, client: &Client, logout: &BackchannelLogout) -> Result<String, Error> {
    let now = ctx.now();
    let claims = Claims {
        iss: &ctx.config.issuer,
        sub: subject(ctx, client, logout.user),
        aud: client.id.as_str(),
        iat: now.seconds(),
        exp: now.seconds().saturating_add(LIFETIME),
        jti: ctx.random.uuid_at(now),
        events: Map::from_iter([(EVENT.to_owned(), json!({}))]),
        sid: logout.session,
    };
    ctx.keys.sign(algorithm_for(ctx, client), TokenType::Logout, &claims)
}
