//! The claims that a client gets about the user of its access token (OpenID Connect Core 1.0 section 5.3).

use serde_json::{Map, Value, json};

use super::introspection::LiveAccess;
use super::presented_token::PresentedToken;
use crate::ctx::Ctx;
use crate::error::{Error, Internal};
use crate::model::SigningAlgorithm;
use crate::protocol::{ErrorCode, Scope, TokenType, scope};
use crate::tokens;
use crate::tokens::claims;

#[derive(Debug)]
pub enum UserInfo {
    Plain(Map<String, Value>),
    /// A signed JWT, for a client that has registered `userinfo_signed_response_alg`.
    Signed(String),
}

/// Returns the claims of an access token's user.
///
/// # Errors
/// `invalid_token` when the token is not good now or is bound to a key that was not proven; `insufficient_scope`
/// without `openid`; [`Error::Unavailable`].
pub async fn userinfo(ctx: &Ctx, presented: &PresentedToken) -> Result<UserInfo, Error> {
    let not_good = || Error::oauth(ErrorCode::InvalidToken, "the access token is not good, or not any more");
    let LiveAccess { access, client, grant } = presented.live_access(ctx).await?.ok_or_else(not_good)?;
    let scope = Scope::parse(&access.scope)?;
    let grant = grant.filter(|_| scope.contains(scope::OPENID));
    let Some(grant) = grant else {
        return Err(Error::oauth(
            ErrorCode::InsufficientScope,
            "the access token is not for signing a person on (openid)",
        ));
    };
    let user = ctx.store.user(grant.user_id).await?.ok_or_else(not_good)?;
    let named = claims::permitted(&grant.claims, &client.metadata.scope);
    let mut claims = claims::of(&user, &scope, &named);
    claims.insert("sub".to_owned(), json!(tokens::subject(ctx, &client, user.id)));
    match client.metadata.userinfo_signed_response_alg {
        None => Ok(UserInfo::Plain(claims)),
        Some(algorithm) => sign(ctx, algorithm, client.id.as_str(), claims).map(UserInfo::Signed),
    }
}

fn sign(
    ctx: &Ctx,
    algorithm: SigningAlgorithm,
    audience: &str,
    mut claims: Map<String, Value>,
) -> Result<String, Error> {
    claims.insert("iss".to_owned(), json!(ctx.config.issuer));
    claims.insert("aud".to_owned(), json!(audience));
    if !ctx.keys.algorithms().contains(&algorithm) {
        return Err(Internal::inconsistent(format!("there is no {algorithm} key for userinfo")).into());
    }
    ctx.keys.sign(algorithm, TokenType::UserInfo, &claims)
}
