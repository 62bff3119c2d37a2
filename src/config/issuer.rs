//! Checks the issuer.

use url::{Host, Url};

/// Checks an issuer. Its readers compare it character by character (RFC 9207 section 2.4, OpenID Connect Core section
/// 3.1.3.7), so it must be written exactly as a URL library would write it.
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

/// Removes the part before an `@`, which could contain a password.
fn without_userinfo(text: &str) -> &str {
    text.rsplit_once('@').map_or(text, |(_, rest)| rest)
}
