//! Public keys as JWK. The type of a published key has no member for a private part.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use crate::model::SigningAlgorithm;

/// The public half of a key (RFC 7518 section 6, RFC 8037 section 2).
pub(super) enum PublicKey<'a> {
    Rsa {
        modulus: &'a [u8],
        exponent: &'a [u8],
    },
    /// An uncompressed point (SEC 1 section 2.3.3): the octet 4, x, y.
    Ec {
        curve: &'static str,
        point: &'a [u8],
    },
    Ed25519(&'a [u8]),
}

#[derive(Debug)]
pub struct Jwks {
    /// The JWKS document (RFC 7517 section 5).
    pub body: String,
    pub etag: String,
}

/// A published key (RFC 7517 section 4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct PublicJwk {
    #[serde(flatten)]
    members: Members,
    #[serde(rename = "use")]
    purpose: &'static str,
    alg: SigningAlgorithm,
    pub(super) kid: String,
}

/// The members from which a thumbprint is computed, in the order of their names (RFC 7638 section 3.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Members {
    Rsa { e: String, kty: &'static str, n: String },
    Ec { crv: &'static str, kty: &'static str, x: String, y: String },
    Okp { crv: &'static str, kty: &'static str, x: String },
}

impl PublicJwk {
    /// Builds the JWK. Its `kid` is the key's thumbprint (RFC 7638), so that a key has one name wherever it came from.
    pub(super) fn new(key: &PublicKey<'_>, alg: SigningAlgorithm) -> serde_json::Result<Self> {
        let text = |octets: &[u8]| URL_SAFE_NO_PAD.encode(octets);
        let members = match key {
            PublicKey::Rsa { modulus, exponent } => Members::Rsa { e: text(exponent), kty: "RSA", n: text(modulus) },
            PublicKey::Ec { curve, point } => {
                let (x, y) = point[1..].split_at((point.len() - 1) / 2);
                Members::Ec { crv: curve, kty: "EC", x: text(x), y: text(y) }
            }
            PublicKey::Ed25519(key) => Members::Okp { crv: "Ed25519", kty: "OKP", x: text(key) },
        };
        let thumbprint = digest::digest(&digest::SHA256, &serde_json::to_vec(&members)?);
        Ok(Self { members, purpose: "sig", alg, kid: text(thumbprint.as_ref()) })
    }
}

impl Jwks {
    pub(super) fn of<'a>(keys: impl IntoIterator<Item = &'a PublicJwk>) -> serde_json::Result<Self> {
        #[derive(Serialize)]
        struct Document<'a> {
            keys: Vec<&'a PublicJwk>,
        }
        let body = serde_json::to_string(&Document { keys: keys.into_iter().collect() })?;
        let hash = digest::digest(&digest::SHA256, body.as_bytes());
        let etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(hash));
        Ok(Self { body, etag })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    #[test]
    fn the_thumbprint_is_that_of_rfc_7638_section_3_1() {
        let n = decoded(
            "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs\
             tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n\
             91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        );
        let key = PublicKey::Rsa { modulus: &n, exponent: &[1, 0, 1] };
        let jwk = PublicJwk::new(&key, SigningAlgorithm::Rs256).unwrap();
        assert_eq!(jwk.kid, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    #[test]
    fn the_thumbprint_is_that_of_rfc_8037_appendix_a_3() {
        let x = decoded("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        let jwk = PublicJwk::new(&PublicKey::Ed25519(&x), SigningAlgorithm::EdDsa).unwrap();
        assert_eq!(jwk.kid, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
}
