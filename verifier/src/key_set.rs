//! The issuer's public keys, parsed.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use aws_lc_rs::signature::ParsedPublicKey;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::compact::{Parts, decode};
use crate::header::{self, Header, MAX_HEADER_LENGTH};
use crate::key_set_error::KeySetError;
use crate::refusal::{Part, Refusal};
use crate::{Algorithm, Jwk};

/// The public keys of an issuer, each under its `kid` and each with the one algorithm that it may be used with
/// (RFC 8725 section 3.1).
///
/// Build it once and keep it; when the JWKS changes, build another. The keys are parsed here and not again, and a clone
/// shares them.
#[derive(Debug, Clone)]
pub struct KeySet(Arc<HashMap<String, VerifyingKey>>);

impl KeySet {
    /// Reads a JWKS: the JSON text that the issuer serves at its `jwks_uri` (RFC 7517 section 5).
    ///
    /// Ignores keys that are not for signatures, or that are of an unknown type (RFC 7517 section 5).
    ///
    /// # Errors
    /// [`KeySetError`] when the text is not a JWKS, or when it holds a key that it must not hold.
    pub fn from_jwks(json: &str) -> Result<Self, KeySetError> {
        let jwks: Jwks = serde_json::from_str(json).map_err(|error| KeySetError::NotAJwks(error.to_string()))?;
        if let Some(leaked) = jwks.keys.iter().find(|key| key.d.is_some()) {
            return Err(KeySetError::PrivateKey { kid: leaked.jwk.kid.clone().unwrap_or_default() });
        }
        Self::from_keys(jwks.keys.iter().map(|key| &key.jwk))
    }

    /// Builds a key set from single keys, by the same rules as [`KeySet::from_jwks`].
    ///
    /// # Errors
    /// [`KeySetError`] when one of the keys is malformed or forbidden, or when none is usable.
    pub fn from_keys<'a>(jwks: impl IntoIterator<Item = &'a Jwk>) -> Result<Self, KeySetError> {
        let mut keys = HashMap::new();
        for jwk in jwks {
            if jwk.kty == "oct" {
                return Err(KeySetError::Symmetric { kid: jwk.kid.clone().unwrap_or_default() });
            }
            let Some(algorithm) = jwk.algorithm() else { continue };
            let kid = jwk.kid.as_deref().filter(|kid| !kid.is_empty()).ok_or(KeySetError::MissingKid)?;
            let key = VerifyingKey { algorithm, key: jwk.parse(kid, algorithm)? };
            match keys.entry(kid.to_owned()) {
                Entry::Vacant(position) => _ = position.insert(key),
                Entry::Occupied(_) => return Err(KeySetError::DuplicateKid { kid: kid.to_owned() }),
            }
        }
        if keys.is_empty() { Err(KeySetError::NoUsableKey) } else { Ok(Self(Arc::new(keys))) }
    }

    /// Whether the set contains a key with this `kid`.
    #[must_use]
    pub fn contains(&self, kid: &str) -> bool {
        self.0.contains_key(kid)
    }

    /// The names and algorithms of the keys, in no particular order.
    pub fn keys(&self) -> impl Iterator<Item = (&str, Algorithm)> {
        self.0.iter().map(|(kid, key)| (kid.as_str(), key.algorithm))
    }

    /// Returns the decoded payload of a compact JWS of this `typ` that one of the keys has signed (RFC 7515 section
    /// 5.2). Checks no claim: neither the issuer, nor the audience, nor the times.
    ///
    /// # Errors
    /// The first [`Refusal`] that applies.
    pub fn signed_payload(&self, token: &str, typ: &str) -> Result<Vec<u8>, Refusal> {
        let Parts { header, payload, signature, message } = Parts::of(token)?;
        if header.len() > MAX_HEADER_LENGTH {
            return Err(Refusal::HeaderTooLong { length: header.len(), limit: MAX_HEADER_LENGTH });
        }
        let header = decode(header, Part::Header)?;
        let Header { algorithm, kid } = header::read(&header, typ)?;
        let key = self.get(&kid).ok_or_else(|| Refusal::UnknownKey { kid: kid.into_owned() })?;
        if key.algorithm != algorithm {
            return Err(Refusal::WrongAlgorithm { expected: key.algorithm });
        }
        if !key.has_signed(message.as_bytes(), &decode(signature, Part::Signature)?) {
            return Err(Refusal::BadSignature);
        }
        decode(payload, Part::Payload)
    }

    pub(crate) fn get(&self, kid: &str) -> Option<&VerifyingKey> {
        self.0.get(kid)
    }
}

/// A public key and its one algorithm.
#[derive(Debug)]
pub(crate) struct VerifyingKey {
    pub(crate) algorithm: Algorithm,
    key: ParsedPublicKey,
}

impl VerifyingKey {
    /// Whether `signature` is this key's signature of `message`.
    pub(crate) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verify_sig(message, signature).is_ok()
    }
}

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<Published>,
}

/// A published key, with the private member that must be absent.
#[derive(Deserialize)]
struct Published {
    #[serde(flatten)]
    jwk: Jwk,
    d: Option<IgnoredAny>,
}
