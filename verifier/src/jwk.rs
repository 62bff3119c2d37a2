//! A public key as JSON.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, EcdsaVerificationAlgorithm, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters, RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::Algorithm;
use crate::key_set_error::KeySetError;

/// The shortest and the longest RSA modulus that is accepted, in bits (RFC 7518 section 3.3 sets the lower bound; the
/// upper one keeps a verification from costing more than a few hundred microseconds).
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// A public key in the JSON form of RFC 7517 section 4, with the members that verification needs and no private ones.
///
/// The string members are as they stand in the JSON; [`KeySet`](crate::KeySet) judges them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    /// The kind of key: `RSA`, `EC` or `OKP` (RFC 7517 section 4.1).
    pub kty: String,
    /// The identifier of the key, by which a token chooses it (RFC 7517 section 4.5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// What the key is for: `sig` or absent (RFC 7517 section 4.2).
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    pub public_key_use: Option<String>,
    /// The one algorithm of the key (RFC 7517 section 4.4). When absent it is derived: `RS256` for RSA, otherwise from
    /// the curve.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
    /// The curve: `P-256`, `P-384` or `Ed25519` (RFC 7518 section 6.2.1.1, RFC 8037 section 2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crv: Option<String>,
    /// The x coordinate, or the whole Ed25519 key, in base64url (RFC 7518 section 6.2.1.2, RFC 8037 section 2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    /// The y coordinate in base64url (RFC 7518 section 6.2.1.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
    /// The RSA modulus in base64url (RFC 7518 section 6.3.1.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
    /// The RSA exponent in base64url (RFC 7518 section 6.3.1.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
}

impl Jwk {
    /// Returns the one algorithm that this key verifies, or `None` when the key is for something else. RFC 7517 section
    /// 5 has such keys ignored, so that a JWKS may contain new kinds without breaking its readers.
    pub(crate) fn algorithm(&self) -> Option<Algorithm> {
        if self.public_key_use.as_deref().is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        match (self.kty.as_str(), self.crv.as_deref(), self.alg.as_deref()) {
            ("RSA", _, None | Some("RS256")) => Some(Algorithm::Rs256),
            ("RSA", _, Some("PS256")) => Some(Algorithm::Ps256),
            ("EC", Some("P-256"), None | Some("ES256")) => Some(Algorithm::Es256),
            ("EC", Some("P-384"), None | Some("ES384")) => Some(Algorithm::Es384),
            ("OKP", Some("Ed25519"), None | Some("EdDSA")) => Some(Algorithm::EdDsa),
            _ => None,
        }
    }

    /// Parses the key for the verification of signatures.
    pub(crate) fn parse(&self, kid: &str, algorithm: Algorithm) -> Result<ParsedPublicKey, KeySetError> {
        match algorithm {
            Algorithm::Rs256 => self.rsa_key(kid, &RSA_PKCS1_2048_8192_SHA256),
            Algorithm::Ps256 => self.rsa_key(kid, &RSA_PSS_2048_8192_SHA256),
            Algorithm::Es256 => self.elliptic_key(kid, &ECDSA_P256_SHA256_FIXED, 32),
            Algorithm::Es384 => self.elliptic_key(kid, &ECDSA_P384_SHA384_FIXED, 48),
            Algorithm::EdDsa => {
                let x = member(kid, "x", self.x.as_deref(), Some(32))?;
                ParsedPublicKey::new(&ED25519, x).map_err(|_| malformed(kid, "x"))
            }
        }
    }

    /// Returns the JSON text whose SHA-256 is the thumbprint of the key (RFC 7638 section 3). The key must be of this
    /// algorithm and have been parsed: then its members are present, and need no escapes.
    pub(crate) fn thumbprint_input(&self, algorithm: Algorithm) -> String {
        let [crv, x, y, n, e] = [&self.crv, &self.x, &self.y, &self.n, &self.e].map(|it| it.as_deref().unwrap_or(""));
        match algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#),
            Algorithm::Es256 | Algorithm::Es384 => format!(r#"{{"crv":"{crv}","kty":"EC","x":"{x}","y":"{y}"}}"#),
            Algorithm::EdDsa => format!(r#"{{"crv":"{crv}","kty":"OKP","x":"{x}"}}"#),
        }
    }

    fn rsa_key(&self, kid: &str, scheme: &'static RsaParameters) -> Result<ParsedPublicKey, KeySetError> {
        let n = member(kid, "n", self.n.as_deref(), None)?;
        let e = member(kid, "e", self.e.as_deref(), None)?;
        // Base64urlUInt has no leading zero octets (RFC 7518 section 2), so the first octet is the highest one.
        if n[0] == 0 || e[0] == 0 {
            return Err(malformed(kid, if n[0] == 0 { "n" } else { "e" }));
        }
        let bits = n.len() * 8 - n[0].leading_zeros() as usize;
        if !RSA_BITS.contains(&bits) {
            return Err(KeySetError::RsaSize { kid: kid.to_owned(), bits });
        }
        RsaPublicKeyComponents { n, e }.to_parsed_public_key(scheme).map_err(|_| malformed(kid, "n"))
    }

    fn elliptic_key(
        &self,
        kid: &str,
        curve: &'static EcdsaVerificationAlgorithm,
        length: usize,
    ) -> Result<ParsedPublicKey, KeySetError> {
        let x = member(kid, "x", self.x.as_deref(), Some(length))?;
        let y = member(kid, "y", self.y.as_deref(), Some(length))?;
        // The uncompressed point of SEC 1 section 2.3.3. One that does not lie on the curve is refused here.
        ParsedPublicKey::new(curve, [&[4][..], &x, &y].concat()).map_err(|_| malformed(kid, "y"))
    }
}

/// Decodes a member that must be there, must not be empty and, where `length` says so, must be of that many octets.
fn member(kid: &str, name: &'static str, text: Option<&str>, length: Option<usize>) -> Result<Vec<u8>, KeySetError> {
    text.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())
        .filter(|octets| !octets.is_empty() && length.is_none_or(|length| length == octets.len()))
        .ok_or_else(|| malformed(kid, name))
}

fn malformed(kid: &str, member: &'static str) -> KeySetError {
    KeySetError::Malformed { kid: kid.to_owned(), member }
}
