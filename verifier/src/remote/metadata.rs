//! The issuer's metadata: where its keys and its lists are (RFC 8414, OpenID Connect Discovery 1.0).

use reqwest::Url;
use serde::Deserialize;

use super::DiscoveryError;
use super::http::{Document, FetchError, Http};
use super::origins::Origins;

/// How much of a metadata document is read, in bytes. Tokenhouse writes about 3,000.
const MAX_METADATA_LENGTH: usize = 256 * 1024;

/// Where the issuer serves what a verifier needs.
#[derive(Debug)]
pub(super) struct Metadata {
    pub(super) jwks_uri: Url,
    /// Where the issuer names its status lists, when it has any.
    pub(super) status_lists: Option<Url>,
}

impl Metadata {
    /// Reads the document at the place of RFC 8414 section 3.1, or, where nothing is, at that of OpenID Connect Discovery
    /// 1.0 section 4.
    pub(super) async fn read(http: &Http, issuer: &str, origins: &Origins) -> Result<Self, DiscoveryError> {
        let text = match fetch(http, well_known_before_path(origins.issuer())).await {
            Err((_, FetchError::Status(_))) => fetch(http, well_known_after_path(origins.issuer())).await,
            other => other,
        };
        let text = text.map_err(|(url, error)| DiscoveryError::unreadable(url, error))?;
        let Claims { issuer: found, jwks_uri, status_list_aggregation_endpoint } =
            serde_json::from_str(&text).map_err(|error| DiscoveryError::Malformed(error.to_string()))?;
        if found != issuer {
            return Err(DiscoveryError::AnotherIssuer { found });
        }
        let lists = status_list_aggregation_endpoint.map(|url| origins.admit("status_list_aggregation_endpoint", &url));
        Ok(Self { jwks_uri: origins.admit("jwks_uri", &jwks_uri)?, status_lists: lists.transpose()? })
    }
}

#[derive(Deserialize)]
struct Claims {
    issuer: String,
    jwks_uri: String,
    /// IETF Token Status List, section 9.1.
    status_list_aggregation_endpoint: Option<String>,
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
