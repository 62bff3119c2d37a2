//! The issuer's metadata: the addresses of its keys and its lists (RFC 8414, OpenID Connect Discovery 1.0).

use reqwest::Url;
use serde::Deserialize;

use super::DiscoveryError;
use super::http::{Document, FetchError, Http};
use super::origins::Origins;

/// The longest metadata document that is read, in bytes. Tokenhouse writes about 3,000.
const MAX_METADATA_LENGTH: usize = 256 * 1024;

/// The addresses that a verifier needs.
#[derive(Debug)]
pub(super) struct Metadata {
    pub(super) jwks_uri: Url,
    /// The list of status lists, when the issuer has one.
    pub(super) status_lists: Option<Url>,
    /// The event stream and its token endpoint, when the issuer has both.
    pub(super) events: Option<EventAddresses>,
}

/// The addresses for a service that follows events.
#[derive(Debug)]
pub(super) struct EventAddresses {
    pub(super) stream: Url,
    pub(super) tokens: Url,
}

impl Metadata {
    /// Reads the document at the path of RFC 8414 section 3.1, or, where the answer is an error status, at that of
    /// OpenID Connect Discovery 1.0 section 4.
    pub(super) async fn read(http: &Http, issuer: &str, origins: &Origins) -> Result<Self, DiscoveryError> {
        let text = match fetch(http, well_known_before_path(origins.issuer())).await {
            Err((_, FetchError::Status(_))) => fetch(http, well_known_after_path(origins.issuer())).await,
            other => other,
        };
        let text = text.map_err(|(url, error)| DiscoveryError::unreadable(url, error))?;
        let claims: Claims =
            serde_json::from_str(&text).map_err(|error| DiscoveryError::Malformed(error.to_string()))?;
        if claims.issuer != issuer {
            return Err(DiscoveryError::AnotherIssuer { found: claims.issuer });
        }
        claims.admitted(origins)
    }
}

#[derive(Deserialize)]
struct Claims {
    issuer: String,
    jwks_uri: String,
    /// IETF Token Status List, section 9.1.
    status_list_aggregation_endpoint: Option<String>,
    /// A member of Tokenhouse, not of a standard.
    status_events_endpoint: Option<String>,
    token_endpoint: Option<String>,
}

impl Claims {
    fn admitted(self, origins: &Origins) -> Result<Metadata, DiscoveryError> {
        let admit = |what, url: Option<String>| url.map(|url| origins.admit(what, &url)).transpose();
        let jwks_uri = origins.admit("jwks_uri", &self.jwks_uri)?;
        let status_lists = admit("status_list_aggregation_endpoint", self.status_list_aggregation_endpoint)?;
        let stream = admit("status_events_endpoint", self.status_events_endpoint)?;
        let tokens = admit("token_endpoint", self.token_endpoint)?;
        let events = stream.zip(tokens).map(|(stream, tokens)| EventAddresses { stream, tokens });
        Ok(Metadata { jwks_uri, status_lists, events })
    }
}

async fn fetch(http: &Http, url: Url) -> Result<String, (Url, FetchError)> {
    let mut document = Document::new(url.clone(), "application/json", MAX_METADATA_LENGTH);
    match http.get(&mut document).await {
        Ok(answer) => Ok(answer.text.unwrap_or_default()),
        Err(error) => Err((url, error)),
    }
}

fn well_known_before_path(issuer: &Url) -> Url {
    let mut url = issuer.clone();
    url.set_path(&format!("/.well-known/oauth-authorization-server{}", issuer.path().trim_end_matches('/')));
    url
}

fn well_known_after_path(issuer: &Url) -> Url {
    let mut url = issuer.clone();
    url.set_path(&format!("{}/.well-known/openid-configuration", issuer.path().trim_end_matches('/')));
    url
}
