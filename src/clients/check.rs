//! Checks which metadata of a client is compatible. A change is checked by the complete metadata that results from it.

use std::time::Duration;

use url::Url;

use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::client::MAX_ACCESS_LIFETIME;
use crate::model::{Client, ClientMetadata, Pkce, Secret};
use crate::protocol::{GrantType, web_uri};

/// The longest time in which a repeated refresh token is answered with its successor again.
const MAX_RETRY_WINDOW: Duration = Duration::from_mins(10);

/// Checks the metadata of a client as a whole.
pub(super) fn check(ctx: &Ctx, client: &Client) -> Result<(), Error> {
    let metadata = &client.metadata;
    let is_bad = |name: &String| name.is_empty() || name.len() > 200 || name.chars().any(char::is_control);
    if metadata.client_name.as_ref().is_some_and(is_bad) {
        return refuse("a client's name is 1 to 200 bytes without control characters");
    }
    check_grants(client)?;
    if client.is_public() && metadata.pkce == Some(Pkce::Optional) {
        return refuse("tokenhouse_pkce: a public client always uses PKCE");
    }
    check_lifetimes(ctx, metadata)?;
    check_algorithms(ctx, metadata)?;
    let is_bad = |audience: &String| audience.is_empty() || audience.len() > 500;
    if metadata.audience.len() > 100 || metadata.audience.iter().any(is_bad) {
        return refuse("a client has at most 100 audiences of 1 to 500 bytes");
    }
    if metadata.redirect_uris.len() > 100 || metadata.post_logout_redirect_uris.len() > 100 {
        return refuse("a client has at most 100 addresses to redirect to");
    }
    if metadata.sector_identifier.as_deref().is_some_and(|sector| !is_host_name(sector)) {
        return refuse("tokenhouse_sector_identifier: it is the name of a host, in lower case");
    }
    check_addresses(metadata)
}

fn check_grants(client: &Client) -> Result<(), Error> {
    if client.is_public() && client.may_use(GrantType::ClientCredentials) {
        return refuse("a public client cannot use client_credentials (RFC 6749 section 4.4)");
    }
    if client.may_use(GrantType::AuthorizationCode) && client.metadata.redirect_uris.is_empty() {
        return refuse("authorization_code needs a redirect URI: --redirect-uri, or redirect_uris in the admin API");
    }
    if client.may_use(GrantType::SimpleJwt) && !client.id.is_simplejwt() {
        return refuse("the simplejwt grant belongs to the built-in client");
    }
    Ok(())
}

fn check_lifetimes(ctx: &Ctx, metadata: &ClientMetadata) -> Result<(), Error> {
    if metadata.access_token_lifetime.is_some_and(|life| life.is_zero() || life > MAX_ACCESS_LIFETIME) {
        return refuse("an access token lives between one second and 24 hours");
    }
    let limit = ctx.config.longest_refresh_lifetime();
    if metadata.refresh_token_lifetime.is_some_and(|life| life.is_zero() || life > limit) {
        return refuse("a refresh token lives between one second and tokens.refresh_lifetime_limit");
    }
    if metadata.refresh.retry_window.is_some_and(|window| window > MAX_RETRY_WINDOW) {
        return refuse("a retry window is at most 10 minutes");
    }
    if metadata.refresh.lost_response_window.is_some_and(|window| window > limit) {
        return refuse("a window for lost answers is at most tokens.refresh_lifetime_limit");
    }
    Ok(())
}

fn check_algorithms(ctx: &Ctx, metadata: &ClientMetadata) -> Result<(), Error> {
    let algorithms = ctx.keys.algorithms();
    for (name, algorithm) in [
        ("tokenhouse_access_token_signed_response_alg", metadata.access_token_signed_response_alg),
        ("id_token_signed_response_alg", metadata.id_token_signed_response_alg),
        ("userinfo_signed_response_alg", metadata.userinfo_signed_response_alg),
    ] {
        if algorithm.is_some_and(|algorithm| !algorithms.contains(&algorithm)) {
            return Err(Error::invalid_request(format!(
                "{name}: there is no key of this algorithm; name it in keys.additional_algorithms first"
            )));
        }
    }
    Ok(())
}

fn check_addresses(metadata: &ClientMetadata) -> Result<(), Error> {
    for (name, uri) in [
        ("client_uri", &metadata.client_uri),
        ("logo_uri", &metadata.logo_uri),
        ("policy_uri", &metadata.policy_uri),
        ("tos_uri", &metadata.tos_uri),
        // Any address is allowed (OpenID Connect Back-Channel Logout 1.0 section 2.2); `outbound` decides which ones
        // this server calls.
        ("backchannel_logout_uri", &metadata.backchannel_logout_uri),
    ] {
        if let Some(uri) = uri {
            web_uri::parse(name, uri)?;
        }
    }
    // OpenID Connect Core 1.0 section 4.
    if let Some(uri) = &metadata.initiate_login_uri {
        web_uri::parse_https("initiate_login_uri", uri)?;
    }
    if let Some(uri) = &metadata.frontchannel_logout_uri {
        check_frontchannel(metadata, &web_uri::parse("frontchannel_logout_uri", uri)?)?;
    }
    Ok(())
}

/// Requires the origin of a registered redirect URI (OpenID Connect Front-Channel Logout 1.0 section 2).
fn check_frontchannel(metadata: &ClientMetadata, uri: &Url) -> Result<(), Error> {
    let own = |registered: &str| Url::parse(registered).is_ok_and(|registered| registered.origin() == uri.origin());
    if metadata.redirect_uris.iter().any(|registered| own(registered.as_str())) {
        return Ok(());
    }
    refuse("frontchannel_logout_uri: scheme, host and port are those of a redirect URI of the client")
}

/// Requires the spelling of a URL library, so that two spellings are not two sectors.
fn is_host_name(text: &str) -> bool {
    Url::parse(&format!("https://{text}/")).is_ok_and(|url| url.host_str() == Some(text) && url.port().is_none())
}

/// Refuses a change between public and confidential. A confidential client that became public would let every party use
/// what was granted to it because of its secret.
pub(super) fn check_kind_stays(before: &Client, after: &Client) -> Result<(), Error> {
    if before.is_public() == after.is_public() {
        return Ok(());
    }
    refuse("token_endpoint_auth_method: a public client stays one, and so does a confidential one; add another client")
}

pub(super) fn check_secret(client: &Client, secret: Option<&Secret>) -> Result<(), Error> {
    let Some(secret) = secret else { return Ok(()) };
    if client.is_public() {
        return refuse("a public client has no secret");
    }
    // The stored value is a plain digest, which is safe for long random secrets only. Unreserved characters mean the
    // same to clients that form-encode the secret (RFC 6749 section 2.3.1) and to those that do not.
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if !(32..=512).contains(&secret.expose().len()) || !secret.expose().bytes().all(unreserved) {
        return refuse(
            "a client secret is 32 to 512 random characters of A-Z a-z 0-9 - . _ ~, for instance from `openssl rand -hex 32`",
        );
    }
    Ok(())
}

fn refuse(why: &'static str) -> Result<(), Error> {
    Err(Error::invalid_request(why))
}
