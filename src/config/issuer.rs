//! What an issuer is.

use url::{Host, Url};

/// An issuer is compared letter by letter by everybody who sees it (RFC 9207 section 2.4, OpenID Connect Core section
/// 3.1.3.7), so only what a URL library would write in just that way will do.
pub(super) fn check_issuer(issuer: &str) -> Result<(), String> {
    let wrong = |problem: &str| Err(format!("`{}` {problem}", without_userinfo(issuer)));
    let Ok(url) = Url::parse(issuer) else {
        return wrong("is not an absolute URL, as in `https://id.example.com`");
    };
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback) {
        return wrong("must be an https URL; http is for this machine only (localhost, 127.0.0.1, [::1])");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("must not hold a user name or password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return wrong("must not have a query or a fragment");
    }
    if issuer.ends_with('/') {
        return wrong("must not end with a slash");
    }
    let written = url.as_str().trim_end_matches('/');
    if written != issuer {
        return wrong(&format!("would be read as `{written}`; write that"));
    }
    Ok(())
}

/// The text as it may be shown: what stands before an `@` could be a password.
fn without_userinfo(text: &str) -> &str {
    text.rsplit_once('@').map_or(text, |(_, rest)| rest)
}
