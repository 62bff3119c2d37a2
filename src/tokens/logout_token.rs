//! Logout tokens (OpenID Connect Back-Channel Logout 1.0 section 2.4).

use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{algorithm_for, subject};
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{BackchannelLogout, Client, SessionId};
use crate::protocol::TokenType;

/// How long a logout token is good, in seconds: as long as section 4 advises, for it is made anew for each try.
const LIFETIME: i64 = 120;

/// What a logout token tells of.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// The claims in the order in which they are written. A `nonce` is forbidden, so that no ID token looks like this.
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

/// Signs a logout token as the client's ID tokens are signed, of a type that no other token has.
///
/// # Errors
/// [`Error::Unavailable`] when no key may sign, [`Error::Internal`] when signing fails.
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
