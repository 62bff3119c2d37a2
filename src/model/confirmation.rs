//! The key to which tokens are bound, and its proof by a request (proof of possession, RFC 7800).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::protocol::TokenScheme;

/// The binding of tokens to a key of their client. As JSON it is the claim `cnf` (RFC 7800 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Confirmation {
    /// The key that signs the client's DPoP proofs (RFC 9449 section 6.1).
    #[serde(rename = "jkt")]
    DpopKey(Thumbprint),
    /// The client's TLS certificate (RFC 8705 section 3.1).
    #[serde(rename = "x5t#S256")]
    Certificate(Thumbprint),
}

impl Confirmation {
    /// Reads the members of a `cnf` claim. Returns `None` unless it has exactly one binding that this server supports.
    #[must_use]
    pub fn of_claim(jkt: Option<&str>, x5t_s256: Option<&str>) -> Option<Self> {
        match (jkt, x5t_s256) {
            (Some(jkt), None) => Thumbprint::parse(jkt).map(Self::DpopKey),
            (None, Some(x5t)) => Thumbprint::parse(x5t).map(Self::Certificate),
            (Some(_), Some(_)) | (None, None) => None,
        }
    }

    /// How a bound token is presented. The TLS connection proves possession of a certificate, so such tokens are
    /// bearer tokens in HTTP (RFC 8705 section 3).
    #[must_use]
    pub const fn scheme(self) -> TokenScheme {
        match self {
            Self::DpopKey(_) => TokenScheme::Dpop,
            Self::Certificate(_) => TokenScheme::Bearer,
        }
    }

    /// Whether the request proved possession of the key to which the token is bound.
    #[must_use]
    pub fn is_proven_by(self, proof: Option<PossessionProof>) -> bool {
        proof.is_some_and(|proof| proof.proven == self)
    }
}

/// A verified proof: the sender of the request holds this key or certificate. The check of a DPoP proof or a TLS
/// handshake creates it. No endpoint does so yet, so bound tokens are refused everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PossessionProof {
    pub proven: Confirmation,
}

/// SHA-256 of a key (RFC 7638) or of a certificate; as text in base64url.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Thumbprint([u8; 32]);

impl Thumbprint {
    #[must_use]
    pub const fn of(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// Reads base64url without padding; `None` when it is not the text of a thumbprint.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Thumbprint({self})")
    }
}

impl TryFrom<String> for Thumbprint {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("a thumbprint is 32 bytes in base64url")
    }
}

impl From<Thumbprint> for String {
    fn from(thumbprint: Thumbprint) -> Self {
        thumbprint.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Confirmation = Confirmation::DpopKey(Thumbprint::of([1; 32]));
    const CERTIFICATE: Confirmation = Confirmation::Certificate(Thumbprint::of([1; 32]));

    #[test]
    fn a_confirmation_is_written_as_the_claim() {
        let thumbprint = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
        for (confirmation, name) in [(KEY, "jkt"), (CERTIFICATE, "x5t#S256")] {
            let text = format!(r#"{{"{name}":"{thumbprint}"}}"#);
            assert_eq!(serde_json::to_string(&confirmation).unwrap(), text);
            assert_eq!(serde_json::from_str::<Confirmation>(&text).unwrap(), confirmation);
        }
        assert_eq!(Confirmation::of_claim(Some(thumbprint), None), Some(KEY));
        assert_eq!(Confirmation::of_claim(None, Some(thumbprint)), Some(CERTIFICATE));
        assert_eq!(Confirmation::of_claim(Some(thumbprint), Some(thumbprint)), None);
        assert_eq!(Confirmation::of_claim(None, None), None);
    }

    #[test]
    fn what_is_no_thumbprint_is_refused() {
        for text in
            ["", "AQ", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQF"]
        {
            assert_eq!(Thumbprint::parse(text), None, "{text:?}");
            assert!(serde_json::from_str::<Confirmation>(&format!(r#"{{"jkt":"{text}"}}"#)).is_err(), "{text:?}");
        }
        for claim in ["{}", r#"{"kid":"1"}"#, "null", "\"jkt\""] {
            assert!(serde_json::from_str::<Confirmation>(claim).is_err(), "{claim}");
        }
    }

    #[test]
    fn only_the_same_key_proves_it() {
        let other = Confirmation::DpopKey(Thumbprint::of([2; 32]));
        for (bound, shown, proven) in [
            (KEY, Some(KEY), true),
            (KEY, Some(other), false),
            (KEY, Some(CERTIFICATE), false),
            (KEY, None, false),
            (CERTIFICATE, Some(CERTIFICATE), true),
            (CERTIFICATE, Some(KEY), false),
            (CERTIFICATE, None, false),
        ] {
            let shown = shown.map(|proven| PossessionProof { proven });
            assert_eq!(bound.is_proven_by(shown), proven, "{bound:?} by {shown:?}");
        }
    }
}
