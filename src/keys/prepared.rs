//! A private key, parsed once and used for every signature.
//!
//! jsonwebtoken's `encode` parses the private key again for every signature, which costs between 1.6 and 2.9 times the
//! signature itself. Tokens are therefore assembled here from three parts and two dots (RFC 7515 section 7.1), with
//! jsonwebtoken's `Header` and the key pairs of aws-lc-rs. A custom `CryptoProvider`, the alternative, would need a
//! process-wide registry of keys behind a plain function, and saves nothing.

use aws_lc_rs::error::{KeyRejected, Unspecified};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Header;
use serde::Serialize;
use zeroize::Zeroizing;

use super::jwks::{PublicJwk, PublicKey};
use crate::error::Internal;
use crate::model::SigningAlgorithm;
use crate::protocol::TokenType;

/// A private key before it is sealed.
pub(super) struct PrivateKey {
    pub(super) algorithm: SigningAlgorithm,
    /// PKCS#8 version 1 (RFC 5208).
    pub(super) pkcs8: Zeroizing<Vec<u8>>,
}

pub(super) struct PreparedKey {
    algorithm: SigningAlgorithm,
    pair: Pair,
    jwk: PublicJwk,
    /// The encoded header of each [`TokenType`], with its dot.
    headers: [String; TokenType::ALL.len()],
}

enum Pair {
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl PreparedKey {
    pub(super) fn parse(algorithm: SigningAlgorithm, pkcs8: &[u8]) -> Result<Self, Internal> {
        let pair =
            Pair::parse(algorithm, pkcs8).map_err(|error| Internal::new("a private key is not usable", error))?;
        let public = |error| Internal::new("a public key cannot be written", error);
        let jwk = pair.public(algorithm).map_err(public)?;
        let mut headers = [const { String::new() }; TokenType::ALL.len()];
        for typ in TokenType::ALL {
            headers[typ as usize] = encoded_header(algorithm, typ, &jwk.kid).map_err(public)?;
        }
        Ok(Self { algorithm, pair, jwk, headers })
    }

    pub(super) fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    pub(super) fn kid(&self) -> &str {
        &self.jwk.kid
    }

    pub(super) fn jwk(&self) -> &PublicJwk {
        &self.jwk
    }

    /// Signs `claims` as a compact JWS (RFC 7515 section 7.1) with the header members `alg`, `typ` and `kid`.
    pub(super) fn sign<T: Serialize>(&self, typ: TokenType, claims: &T) -> Result<String, Internal> {
        let mut text = Vec::with_capacity(512);
        serde_json::to_writer(&mut text, claims).map_err(|error| Internal::new("claims cannot be written", error))?;
        let mut token = String::with_capacity(200 + text.len() * 4 / 3 + self.pair.longest_signature() * 4 / 3);
        token.push_str(&self.headers[typ as usize]);
        URL_SAFE_NO_PAD.encode_string(&text, &mut token);
        let signature =
            self.pair.sign(token.as_bytes()).map_err(|error| Internal::new("a signature was not made", error))?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}

fn encoded_header(algorithm: SigningAlgorithm, typ: TokenType, kid: &str) -> serde_json::Result<String> {
    let mut header = Header::new(match algorithm {
        SigningAlgorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
        SigningAlgorithm::Ps256 => jsonwebtoken::Algorithm::PS256,
        SigningAlgorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        SigningAlgorithm::Es384 => jsonwebtoken::Algorithm::ES384,
        SigningAlgorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
    });
    header.typ = Some(typ.as_str().to_owned());
    header.kid = Some(kid.to_owned());
    Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(&header)?) + ".")
}

impl Pair {
    fn parse(algorithm: SigningAlgorithm, pkcs8: &[u8]) -> Result<Self, KeyRejected> {
        Ok(match algorithm {
            SigningAlgorithm::Rs256 => Self::Rsa(RsaKeyPair::from_pkcs8(pkcs8)?, &RSA_PKCS1_SHA256),
            SigningAlgorithm::Ps256 => Self::Rsa(RsaKeyPair::from_pkcs8(pkcs8)?, &RSA_PSS_SHA256),
            SigningAlgorithm::Es256 => Self::Ec(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8)?),
            SigningAlgorithm::Es384 => Self::Ec(EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, pkcs8)?),
            SigningAlgorithm::EdDsa => Self::Ed(Ed25519KeyPair::from_pkcs8(pkcs8)?),
        })
    }

    fn public(&self, algorithm: SigningAlgorithm) -> serde_json::Result<PublicJwk> {
        let key = match self {
            Self::Rsa(pair, _) => PublicKey::Rsa {
                modulus: pair.public_key().modulus().big_endian_without_leading_zero(),
                exponent: pair.public_key().exponent().big_endian_without_leading_zero(),
            },
            Self::Ec(pair) => {
                let curve = if algorithm == SigningAlgorithm::Es384 { "P-384" } else { "P-256" };
                PublicKey::Ec { curve, point: pair.public_key().as_ref() }
            }
            Self::Ed(pair) => PublicKey::Ed25519(pair.public_key().as_ref()),
        };
        PublicJwk::new(&key, algorithm)
    }

    fn longest_signature(&self) -> usize {
        match self {
            Self::Rsa(pair, _) => pair.public_modulus_len(),
            Self::Ec(_) | Self::Ed(_) => 96,
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        // The API of aws-lc-rs requires a source of randomness; the library uses its own.
        let random = SystemRandom::new();
        Ok(match self {
            Self::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, message, &mut signature)?;
                signature
            }
            Self::Ec(pair) => pair.sign(&random, message)?.as_ref().to_vec(),
            Self::Ed(pair) => pair.try_sign(message)?.as_ref().to_vec(),
        })
    }
}
