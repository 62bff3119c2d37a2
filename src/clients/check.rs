//! Which parts of a client go together.

use std::time::Duration;

use super::sign_on;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::client::MAX_ACCESS_LIFETIME;
use crate::model::{Client, ClientKind, Secret};
use crate::protocol::{AuthMethod, GrantType};

/// The longest time in which a used refresh token gets its successor again.
const MAX_RETRY_WINDOW: Duration = Duration::from_mins(10);

/// Whether the parts of a client go together.
pub(super) fn check(ctx: &Ctx, client: &Client) -> Result<(), Error> {
    let refuse = |why: &'static str| Err(Error::invalid_request(why));
    let public = client.kind == ClientKind::Public;
    if client.name.is_empty() || client.name.len() > 200 || client.name.chars().any(char::is_control) {
        return refuse("a client's name is 1 to 200 bytes without control characters");
    }
    if public && client.may_use(GrantType::ClientCredentials) {
        return refuse("a public client cannot use client_credentials (RFC 6749 section 4.4)");
    }
    if client.may_use(GrantType::AuthorizationCode) && client.redirect_uris.is_empty() {
        return refuse("authorization_code needs a redirect URI: --redirect-uri, or redirect_uris in the admin API");
    }
    if client.may_use(GrantType::SimpleJwt) && !client.id.is_simplejwt() {
        return refuse("the simplejwt grant belongs to the built-in client");
    }
    if client.access_lifetime.is_some_and(|life| life.is_zero() || life > MAX_ACCESS_LIFETIME) {
        return refuse("an access token lives between one second and 24 hours");
    }
    let limit = ctx.config.longest_refresh_lifetime();
    if client.refresh_lifetime.is_some_and(|life| life.is_zero() || life > limit) {
        return refuse("a refresh token lives between one second and tokens.refresh_lifetime_limit");
    }
    if client.refresh.retry_window.is_some_and(|window| window > MAX_RETRY_WINDOW) {
        return refuse("a retry window is at most 10 minutes");
    }
    if client.refresh.lost_response_window.is_some_and(|window| window > limit) {
        return refuse("a window for lost answers is at most tokens.refresh_lifetime_limit");
    }
    let algorithm = client.access_token_algorithm;
    if algorithm.is_some_and(|algorithm| !ctx.keys.algorithms().contains(&algorithm)) {
        return refuse("there is no key of this algorithm; name it in keys.additional_algorithms first");
    }
    if client.audience.len() > 100 || client.audience.iter().any(|audience| audience.is_empty() || audience.len() > 500)
    {
        return refuse("a client has at most 100 audiences of 1 to 500 bytes");
    }
    if client.redirect_uris.len() > 100 || client.post_logout_redirect_uris.len() > 100 {
        return refuse("a client has at most 100 addresses to redirect to");
    }
    sign_on::check(ctx, client)
}

pub(super) fn auth_method(kind: ClientKind, wanted: Option<AuthMethod>) -> Result<AuthMethod, Error> {
    match (kind, wanted) {
        (ClientKind::Public, None | Some(AuthMethod::None)) => Ok(AuthMethod::None),
        (ClientKind::Confidential, None) => Ok(AuthMethod::ClientSecretBasic),
        (ClientKind::Confidential, Some(method)) if method != AuthMethod::None => Ok(method),
        _ => Err(Error::invalid_request("a public client authenticates with none, a confidential one does not")),
    }
}

pub(super) fn check_secret(kind: ClientKind, secret: Option<&Secret>) -> Result<(), Error> {
    let Some(secret) = secret else { return Ok(()) };
    if kind == ClientKind::Public {
        return Err(Error::invalid_request("a public client has no secret"));
    }
    // What is kept is a plain digest, which is safe for long random secrets only. Unreserved characters mean the same
    // to clients that form-encode it (RFC 6749 section 2.3.1) and to those that do not.
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if !(32..=512).contains(&secret.expose().len()) || !secret.expose().bytes().all(unreserved) {
        return Err(Error::invalid_request(
            "a client secret is 32 to 512 random characters of A-Z a-z 0-9 - . _ ~, for instance from `openssl rand -hex 32`",
        ));
    }
    Ok(())
}
