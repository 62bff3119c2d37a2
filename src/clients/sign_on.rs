//! Which parts of what a client registers about sign-in and logout go together.

use url::Url;

use crate::ctx::Ctx;
use crate::error::Error;
use crate::model::{Client, ClientKind, Pkce, SignOn};
use crate::protocol::web_uri;

/// Whether the addresses, algorithms and names are ones.
///
/// # Errors
/// `invalid_request`, with the name of the first part that is wrong.
pub(super) fn check(ctx: &Ctx, client: &Client) -> Result<(), Error> {
    let sign_on = &client.sign_on;
    check_addresses(sign_on)?;
    // It may lie anywhere (OpenID Connect Back-Channel Logout 1.0 section 2.2); whom this server calls, `outbound`
    // decides.
    if let Some(uri) = &client.backchannel_logout_uri {
        web_uri::parse("backchannel_logout_uri", uri)?;
    }
    if let Some(uri) = &sign_on.frontchannel_logout_uri {
        check_frontchannel(client, &web_uri::parse("frontchannel_logout_uri", uri)?)?;
    }
    let algorithms = ctx.keys.algorithms();
    for (name, algorithm) in [
        ("id_token_signed_response_alg", sign_on.id_token_signed_response_alg),
        ("userinfo_signed_response_alg", sign_on.userinfo_signed_response_alg),
    ] {
        if algorithm.is_some_and(|algorithm| !algorithms.contains(&algorithm)) {
            return refuse(&format!(
                "{name}: there is no key of this algorithm; name it in keys.additional_algorithms first"
            ));
        }
    }
    if client.kind == ClientKind::Public && sign_on.pkce == Some(Pkce::Optional) {
        return refuse("pkce: a public client always uses PKCE");
    }
    if sign_on.sector_identifier.as_deref().is_some_and(|sector| !is_host_name(sector)) {
        return refuse("sector_identifier: it is the name of a host, in lower case");
    }
    Ok(())
}

fn check_addresses(sign_on: &SignOn) -> Result<(), Error> {
    for (name, uri) in [
        ("client_uri", &sign_on.client_uri),
        ("logo_uri", &sign_on.logo_uri),
        ("policy_uri", &sign_on.policy_uri),
        ("tos_uri", &sign_on.tos_uri),
    ] {
        if let Some(uri) = uri {
            web_uri::parse(name, uri)?;
        }
    }
    // OpenID Connect Core 1.0 section 4.
    if let Some(uri) = &sign_on.initiate_login_uri {
        web_uri::parse_https("initiate_login_uri", uri)?;
    }
    Ok(())
}

/// Scheme, host and port are those of a registered redirect URI (OpenID Connect Front-Channel Logout 1.0 section 2).
fn check_frontchannel(client: &Client, uri: &Url) -> Result<(), Error> {
    let own = |registered: &str| Url::parse(registered).is_ok_and(|registered| registered.origin() == uri.origin());
    if client.redirect_uris.iter().any(|registered| own(registered.as_str())) {
        return Ok(());
    }
    refuse("frontchannel_logout_uri: scheme, host and port are those of a redirect URI of the client")
}

/// Written as a URL library would write it, so that two spellings are not two sectors.
fn is_host_name(text: &str) -> bool {
    Url::parse(&format!("https://{text}/")).is_ok_and(|url| url.host_str() == Some(text) && url.port().is_none())
}

fn refuse(why: &str) -> Result<(), Error> {
    Err(Error::invalid_request(why.to_owned()))
}
