//! An application, as users see it before they grant it access.

use serde::Serialize;
use url::Url;

#[derive(Debug, Clone, Default)]
pub struct Application {
    /// `client_name`, or else `client_id`.
    pub name: String,
    pub logo_uri: Option<String>,
    pub client_uri: Option<String>,
    pub policy_uri: Option<String>,
    pub tos_uri: Option<String>,
    /// Whether this server vouches for it: the client is not marked `unverified`.
    pub verified: bool,
    pub redirect_uri: Option<String>,
}

/// The same for a template. Links that are not web addresses are left out.
#[derive(Debug, Serialize)]
pub(super) struct ApplicationModel<'a> {
    name: String,
    /// The first letter, shown where there is no logo.
    initial: String,
    logo_uri: Option<&'a str>,
    website: Option<&'a str>,
    website_host: Option<String>,
    policy_uri: Option<&'a str>,
    tos_uri: Option<&'a str>,
    verified: bool,
    destination: Destination,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "to", content = "name")]
enum Destination {
    /// A web site: its host, and its port where unusual. Punycode is not decoded, because similar letters would
    /// mislead.
    Site(String),
    /// A program on the user's own device (RFC 8252), with its scheme if it has a private one.
    Device(String),
    Unknown,
}

impl Application {
    pub(super) fn shown(&self) -> ApplicationModel<'_> {
        let website = web_address(self.client_uri.as_deref());
        ApplicationModel {
            name: plain(&self.name),
            initial: initial(&self.name),
            logo_uri: self.logo_address(),
            website,
            website_host: website.and_then(host),
            policy_uri: web_address(self.policy_uri.as_deref()),
            tos_uri: web_address(self.tos_uri.as_deref()),
            verified: self.verified,
            destination: self.redirect_uri.as_deref().map_or(Destination::Unknown, destination),
        }
    }

    /// Returns the address of the logo, if a page may show it.
    pub(super) fn logo_address(&self) -> Option<&str> {
        web_address(self.logo_uri.as_deref())
    }
}

/// Removes invisible characters that change how a name reads: controls and marks of writing direction.
pub(super) fn plain(name: &str) -> String {
    let turns =
        |letter: char| matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    name.chars().filter(|letter| !letter.is_control() && !turns(*letter)).collect()
}

pub(super) fn initial(name: &str) -> String {
    name.chars()
        .find(|letter| letter.is_alphanumeric())
        .map_or("·".to_owned(), |letter| letter.to_uppercase().collect())
}

/// Returns the address if it is https, or http to this machine. No page may link to `javascript:`, whatever was
/// registered.
fn web_address(uri: Option<&str>) -> Option<&str> {
    uri.filter(|uri| {
        Url::parse(uri).is_ok_and(|url| url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url)))
    })
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn host(uri: &str) -> Option<String> {
    let url = Url::parse(uri).ok()?;
    let host = url.host_str()?;
    Some(url.port().map_or(host.to_owned(), |port| format!("{host}:{port}")))
}

fn destination(redirect_uri: &str) -> Destination {
    let Ok(url) = Url::parse(redirect_uri) else { return Destination::Unknown };
    match url.scheme() {
        "http" | "https" if is_loopback(&url) => Destination::Device(String::new()),
        "http" | "https" => host(redirect_uri).map_or(Destination::Unknown, Destination::Site),
        scheme => Destination::Device(scheme.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_where_a_redirect_uri_leads() {
        for (uri, expected) in [
            ("https://app.example.com/cb?x=1", Destination::Site("app.example.com".to_owned())),
            ("https://app.example.com:8443/cb", Destination::Site("app.example.com:8443".to_owned())),
            ("https://аpp.example.com/cb", Destination::Site("xn--pp-6kc.example.com".to_owned())),
            ("http://127.0.0.1:4000/cb", Destination::Device(String::new())),
            ("com.example.app:/cb", Destination::Device("com.example.app".to_owned())),
            ("nonsense", Destination::Unknown),
        ] {
            assert_eq!(destination(uri), expected, "{uri}");
        }
    }

    #[test]
    fn only_web_addresses_are_linked_and_shown() {
        let odd = ["javascript:alert(1)", "data:text/html,x", "http://example.com/", "ftp://example.com/", "x", ""];
        for uri in odd {
            let application = Application {
                logo_uri: Some(uri.to_owned()),
                client_uri: Some(uri.to_owned()),
                policy_uri: Some(uri.to_owned()),
                tos_uri: Some(uri.to_owned()),
                ..Application::default()
            };
            let shown = application.shown();
            let links = [shown.logo_uri, shown.website, shown.policy_uri, shown.tos_uri];
            assert_eq!(links, [None; 4], "{uri}");
        }
        assert_eq!(web_address(Some("https://example.com/tos")), Some("https://example.com/tos"));
    }

    #[test]
    fn an_application_without_a_logo_is_shown_by_its_first_letter() {
        assert_eq!(initial("notes"), "N");
        assert_eq!(initial("»ökonomie«"), "Ö");
        assert_eq!(initial("<>"), "·");
    }

    #[test]
    fn a_name_cannot_turn_the_direction_of_writing() {
        assert_eq!(plain("\u{202e}moc.elpmaxe\u{202c}\n"), "moc.elpmaxe");
        assert_eq!(plain("Ærø & שלום"), "Ærø & שלום");
    }
}
