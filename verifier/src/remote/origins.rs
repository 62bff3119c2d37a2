//! The origins to which requests may go: the issuer's own (RFC 6454), and those that the operator allows in addition.

use std::net::IpAddr;

use reqwest::Url;

use super::DiscoveryError;

/// The issuer's address, and the allowed origins.
#[derive(Debug, Clone)]
pub(super) struct Origins {
    issuer: Url,
    allowed: Vec<String>,
}

impl Origins {
    /// # Errors
    /// When the issuer is not an `https` URL without query and fragment (RFC 8414 section 2). An issuer on this machine
    /// may use `http`.
    pub(super) fn new(issuer: &str, also: &[String]) -> Result<Self, DiscoveryError> {
        let url = |text: &str| Url::parse(text).map_err(|_| DiscoveryError::NotAnIssuer(text.to_owned()));
        let own = url(issuer)?;
        let is_plain = own.query().is_none() && own.fragment().is_none() && own.username().is_empty();
        if !is_plain || !(own.scheme() == "https" || own.scheme() == "http" && is_loopback(&own)) {
            return Err(DiscoveryError::NotAnIssuer(issuer.to_owned()));
        }
        let also = also.iter().map(|origin| url(origin));
        let urls = std::iter::once(Ok(own.clone())).chain(also).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { issuer: own, allowed: urls.iter().map(|url| url.origin().ascii_serialization()).collect() })
    }

    pub(super) fn issuer(&self) -> &Url {
        &self.issuer
    }

    /// Returns the address if requests to it are allowed. `what` names it in the error.
    pub(super) fn admit(&self, what: &'static str, address: &str) -> Result<Url, DiscoveryError> {
        let url = Url::parse(address).ok().filter(|url| {
            let is_safe = url.scheme() == "https" || url.scheme() == "http" && is_loopback(&self.issuer);
            is_safe && self.allowed.contains(&url.origin().ascii_serialization())
        });
        url.ok_or_else(|| DiscoveryError::ForeignAddress { what, url: address.to_owned() })
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_reached_by_https_unless_it_is_on_this_machine() {
        for good in ["https://id.example.com", "https://id.example.com/tenant", "http://localhost:8080", "http://[::1]"]
        {
            assert!(Origins::new(good, &[]).is_ok(), "{good}");
        }
        for bad in [
            "http://id.example.com",
            "http://127.0.0.1.example.com",
            "https://id.example.com?x",
            "https://id.example.com#x",
            "https://user@id.example.com",
            "ftp://localhost",
            "file:///etc/passwd",
            "id.example.com",
            "",
        ] {
            assert!(matches!(Origins::new(bad, &[]), Err(DiscoveryError::NotAnIssuer(_))), "{bad}");
        }
    }

    #[test]
    fn only_the_own_origin_and_allowed_ones_are_asked() {
        let origins = Origins::new("https://id.example.com", &["https://cdn.example.com".to_owned()]).unwrap();
        for good in ["https://id.example.com/jwks", "https://id.example.com:443/x", "https://cdn.example.com/status/0"]
        {
            assert!(origins.admit("jwks_uri", good).is_ok(), "{good}");
        }
        for bad in [
            "http://id.example.com/jwks",
            "https://id.example.com:8443/jwks",
            "https://id.example.com.evil.example/jwks",
            "https://id.example.com@evil.example/jwks",
            "http://127.0.0.1/jwks",
            "/jwks",
            "data:text/plain,x",
        ] {
            assert!(matches!(origins.admit("jwks_uri", bad), Err(DiscoveryError::ForeignAddress { .. })), "{bad}");
        }
    }
}
