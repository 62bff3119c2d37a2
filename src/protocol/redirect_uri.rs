//! `redirect_uri`: stored and compared byte by byte (RFC 9700 section 2.1).

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

use super::OAuthError;

/// An address that a client may be redirected to, exactly as it was registered.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RedirectUri(String);

/// Names of authorization response parameters, which a registered address must not contain.
const RESPONSE_PARAMETERS: [&str; 6] = ["code", "state", "iss", "error", "id_token", "response"];

impl RedirectUri {
    /// Accepts `https`, `http` on a loopback address (RFC 8252 section 7.3) and private-use schemes in reverse-domain
    /// form (RFC 8252 section 7.1).
    ///
    /// # Errors
    /// `invalid_request` for anything else, and for a fragment, user information, a backslash, a control character
    /// or a query that names a response parameter.
    pub fn parse(text: &str) -> Result<Self, OAuthError> {
        let refuse = |why: &'static str| Err(OAuthError::invalid_request(why));
        if text.len() > 2048 || text.bytes().any(|byte| byte <= b' ' || byte == b'\\' || byte >= 0x7f) {
            return refuse("a redirect URI is at most 2048 printable ASCII characters without backslashes");
        }
        let Ok(url) = Url::parse(text) else { return refuse("a redirect URI is absolute") };
        if text.contains('#') {
            return refuse("a redirect URI has no fragment");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("a redirect URI has no user information");
        }
        if url.query_pairs().any(|(name, _)| RESPONSE_PARAMETERS.contains(&name.as_ref())) {
            return refuse("a redirect URI does not carry parameters of the response");
        }
        match url.scheme() {
            "https" if url.has_host() => Ok(Self(text.to_owned())),
            "http" if is_loopback(&url) => Ok(Self(text.to_owned())),
            "http" => refuse("http is for loopback addresses only"),
            scheme if scheme.contains('.') => Ok(Self(text.to_owned())),
            _ => refuse("the scheme is https, http on a loopback address, or a reverse domain name"),
        }
    }

    /// Whether `sent` differs from this address in the port alone, on a loopback IP address (RFC 8252 sections 7.3 and
    /// 8.3). Everything else is compared byte by byte.
    #[must_use]
    pub fn differs_in_loopback_port(&self, sent: &str) -> bool {
        match (Self::around_loopback_port(&self.0), Self::around_loopback_port(sent)) {
            (Some(own), Some(others)) => own == others,
            _ => false,
        }
    }

    /// Splits an address on a loopback interface around its port.
    fn around_loopback_port(text: &str) -> Option<(&'static str, &str)> {
        let (host, rest) = ["http://127.0.0.1", "http://[::1]"]
            .into_iter()
            .find_map(|host| text.strip_prefix(host).map(|rest| (host, rest)))?;
        let end = rest.find('/').unwrap_or(rest.len());
        let (port, path) = rest.split_at(end);
        let is_port = port.is_empty()
            || port.strip_prefix(':').is_some_and(|digits| {
                digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok_and(|port| port > 0)
            });
        is_port.then_some((host, path))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether the address refers to the local machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for RedirectUri {
    type Error = OAuthError;

    fn try_from(text: String) -> Result<Self, OAuthError> {
        Self::parse(&text)
    }
}

impl From<RedirectUri> for String {
    fn from(uri: RedirectUri) -> Self {
        uri.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_loopback_and_private_use_addresses_are_accepted() {
        for text in
            ["https://app.example.com/cb?x=1", "http://127.0.0.1:9999/cb", "http://[::1]/cb", "com.example.app:/cb"]
        {
            assert!(RedirectUri::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn only_the_port_of_a_loopback_address_may_differ() {
        let registered = RedirectUri::parse("http://127.0.0.1:9999/cb?x=1").unwrap();

        for same in ["http://127.0.0.1:1/cb?x=1", "http://127.0.0.1/cb?x=1", "http://127.0.0.1:65535/cb?x=1"] {
            assert!(registered.differs_in_loopback_port(same), "{same}");
        }
        for other in [
            "http://127.0.0.1:9999/other",
            "http://127.0.0.1:9999/cb",
            "http://127.0.0.1:99999/cb?x=1",
            "http://127.0.0.1:+1/cb?x=1",
            "http://127.0.0.1:0/cb?x=1",
            "http://127.0.0.1:1@evil.example/cb?x=1",
            "http://127.0.0.1.evil.example/cb?x=1",
            "http://[::1]:9999/cb?x=1",
            "http://localhost:9999/cb?x=1",
            "https://127.0.0.1:9999/cb?x=1",
            "HTTP://127.0.0.1:9999/cb?x=1",
        ] {
            assert!(!registered.differs_in_loopback_port(other), "{other}");
        }
        let web = RedirectUri::parse("https://app.example.com/cb").unwrap();
        assert!(!web.differs_in_loopback_port("https://app.example.com:8443/cb"));
    }

    #[test]
    fn dangerous_addresses_are_refused() {
        for text in [
            "javascript:alert(1)",
            "data:text/html,x",
            "http://app.example.com/cb",
            "https://app@evil.example/cb",
            "https://a/cb?code=x",
            "https://a/cb#code=x",
            "https://a\\b/cb",
            "/cb",
            "https://a/c b",
        ] {
            assert!(RedirectUri::parse(text).is_err(), "{text}");
        }
    }
}
