//! Decides which addresses the server may call: public addresses, and those that `outbound.allow` names. Client
//! metadata contains addresses that the server calls, so without this check a client could make the server call
//! internal endpoints (server-side request forgery).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use crate::config::AllowedHost;

#[derive(Debug, Clone)]
pub(super) struct Guard {
    allow: Arc<[AllowedHost]>,
}

impl Guard {
    pub(super) fn new(allow: &[AllowedHost]) -> Self {
        Self { allow: allow.into() }
    }

    /// Checks what can be checked before a name is resolved: the scheme, and a literal IP address, which no resolver
    /// ever sees.
    pub(super) fn check(&self, url: &Url) -> Result<(), String> {
        let (address, is_loopback) = match url.host() {
            Some(Host::Ipv4(address)) => (Some(IpAddr::V4(address)), address.is_loopback()),
            Some(Host::Ipv6(address)) => (Some(IpAddr::V6(address)), address.is_loopback()),
            Some(Host::Domain(name)) => (None, name == "localhost"),
            None => return Err("the address has no host".to_owned()),
        };
        match url.scheme() {
            "https" => {}
            // Such a name or address is not public, so one that is not allowed is refused below or when it is resolved.
            "http" if is_loopback => {}
            "http" => return Err("http is for loopback addresses that outbound.allow names".to_owned()),
            _ => return Err("the scheme is not https".to_owned()),
        }
        match address {
            Some(address) if !self.admits(address, None) => Err(format!("{address} is not public: see outbound.allow")),
            Some(_) | None => Ok(()),
        }
    }

    fn admits(&self, address: IpAddr, name: Option<&str>) -> bool {
        let is_named = |allowed: &AllowedHost| match allowed {
            AllowedHost::Network(network) => network.contains(address),
            AllowedHost::Host(host) => name.is_some_and(|name| name.eq_ignore_ascii_case(host)),
        };
        is_public(address) || self.allow.iter().any(is_named)
    }
}

/// Resolves a name once and returns only the addresses that may be called, so that the connection goes to a checked
/// address.
impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let name = name.as_str();
            let found = tokio::net::lookup_host((name, 0)).await?;
            let admitted: Vec<SocketAddr> = found.filter(|address| guard.admits(address.ip(), Some(name))).collect();
            if admitted.is_empty() {
                return Err("the host has no public address: see outbound.allow".into());
            }
            Ok(Box::new(admitted.into_iter()) as Addrs)
        })
    }
}

/// Whether the address is public (IANA special-purpose address registries, RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        // Carrier-grade NAT (RFC 6598), protocol assignments, 6to4 relays, benchmarks.
        || (a == 100 && b & 0xc0 == 64)
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && b & 0xfe == 18);
    !is_special
}

/// Only `2000::/3` is allocated. Ranges within it that carry an IPv4 address or serve documentation are excluded.
fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    let [first, second, ..] = address.segments();
    let is_special = first == 0x2002
        || (first == 0x2001 && second < 0x0200)
        || (first == 0x2001 && second == 0x0db8)
        || (first == 0x3fff && second < 0x1000);
    first & 0xe000 == 0x2000 && !is_special
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(allow: &[&str], url: &str) -> Result<(), String> {
        let allow: Vec<AllowedHost> = allow.iter().map(|text| text.parse().unwrap()).collect();
        Guard::new(&allow).check(&Url::parse(url).unwrap())
    }

    #[test]
    fn addresses_that_are_not_public_are_refused_in_every_spelling() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.1",
            "0177.0.0.1",
            "0.0.0.0",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "192.0.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "[::1]",
            "[::]",
            "[::ffff:10.0.0.1]",
            "[::ffff:7f00:1]",
            "[64:ff9b::7f00:1]",
            "[fe80::1]",
            "[fc00::1]",
            "[fd12::1]",
            "[ff02::1]",
            "[2002:7f00:1::]",
            "[2001:db8::1]",
            "[2001::1]",
        ] {
            assert!(check(&[], &format!("https://{host}/")).is_err(), "{host}");
        }
    }

    #[test]
    fn public_addresses_are_admitted_by_https_alone() {
        for host in ["93.184.216.34", "[2606:2800:220:1::1]", "app.example.com"] {
            assert!(check(&[], &format!("https://{host}/")).is_ok(), "{host}");
            for scheme in ["http", "ftp", "gopher"] {
                assert!(check(&[], &format!("{scheme}://{host}/")).is_err(), "{scheme}://{host}");
            }
        }
        assert!(check(&["10.0.0.0/8"], "http://10.0.0.1/").is_err());
    }

    #[test]
    fn what_is_allowed_by_name_is_admitted_and_nothing_beside_it() {
        assert!(check(&["10.0.0.0/8"], "https://10.1.2.3/").is_ok());
        assert!(check(&["10.0.0.0/8"], "https://11.1.2.3/").is_ok());
        assert!(check(&["10.0.0.0/8"], "https://192.168.0.1/").is_err());
        assert!(check(&["127.0.0.1"], "http://127.0.0.1:9/x").is_ok());
        assert!(check(&["127.0.0.1"], "http://127.0.0.2/").is_err());
        assert!(check(&["::1"], "http://[::1]/").is_ok());
        assert!(check(&["10.0.0.1"], "https://[::ffff:10.0.0.1]/").is_ok());
    }

    #[tokio::test]
    async fn a_name_is_judged_by_every_address_that_it_has() {
        let resolve = async |allow: &[&str], name: &str| {
            let allow: Vec<AllowedHost> = allow.iter().map(|text| text.parse().unwrap()).collect();
            Guard::new(&allow)
                .resolve(name.parse().unwrap())
                .await
                .map(|found| found.map(|it| it.ip()).collect::<Vec<_>>())
        };
        assert!(resolve(&[], "localhost").await.is_err());
        assert!(resolve(&["10.0.0.0/8", "other.example"], "localhost").await.is_err());
        assert_eq!(resolve(&["127.0.0.1"], "localhost").await.unwrap(), [IpAddr::from([127, 0, 0, 1])]);
        assert!(resolve(&["localhost"], "localhost").await.unwrap().iter().all(IpAddr::is_loopback));
    }
}
