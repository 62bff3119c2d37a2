//! Why an issuer could not be set up.

use std::fmt;

/// Why [`Issuer::discover`](super::Issuer::discover) failed. Each message names what the operator has to check.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoveryError {
    /// The issuer's name is not a URL without query and fragment (RFC 8414 section 2).
    #[error("{0:?} is not the URL of an issuer")]
    NotAnIssuer(String),
    /// A document could not be read, or is unusable.
    #[error("{url} cannot be used: {reason}")]
    Unreadable {
        /// The address of the document.
        url: String,
        /// The cause of the failure.
        reason: String,
    },
    /// The metadata is not a JSON object with `issuer` and `jwks_uri`.
    #[error("the issuer's metadata is malformed: {0}")]
    Malformed(String),
    /// The metadata is another issuer's (RFC 8414 section 3.3).
    #[error("the metadata is that of the issuer {found:?}, which has to be the expected one character by character")]
    AnotherIssuer {
        /// The `issuer` of the metadata.
        found: String,
    },
    /// An address of the metadata leads to another origin than the issuer's, or is not `https`.
    #[error("{what} is at {url:?}: only https at the issuer's own origin is asked, or an origin that was allowed")]
    ForeignAddress {
        /// The member of the metadata.
        what: &'static str,
        /// The address.
        url: String,
    },
    /// The HTTP client could not be built.
    #[error("no HTTP client: {0}")]
    Client(String),
}

impl DiscoveryError {
    pub(super) fn unreadable(url: impl Into<String>, reason: impl fmt::Display) -> Self {
        Self::Unreadable { url: url.into(), reason: reason.to_string() }
    }
}
