//! Why a JWKS was refused.

/// Why a JWKS was refused as a whole. Each variant means that the issuer published something that it must not publish.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeySetError {
    /// The text is not a JSON object with an array `keys` of JWKs (RFC 7517 section 5).
    #[error("this is not a JWKS: {0}")]
    NotAJwks(String),
    /// A key has no `kid`, so no token could choose it.
    #[error("a key has no `kid`")]
    MissingKid,
    /// Two keys have the same `kid` (RFC 7517 section 4.5).
    #[error("two keys have the kid {kid:?}")]
    DuplicateKid {
        /// The `kid` of both keys.
        kid: String,
    },
    /// The set contains a symmetric key (`kty` is `oct`): every reader of the set could sign with it.
    #[error("the key {kid:?} is symmetric; a published key never is")]
    Symmetric {
        /// The `kid` of the key, empty when it has none.
        kid: String,
    },
    /// The set contains the private part of a key: every reader of the set could sign with it.
    #[error("the key {kid:?} comes with its private part; it must be withdrawn")]
    PrivateKey {
        /// The `kid` of the key, empty when it has none.
        kid: String,
    },
    /// An RSA key has less than 2048 or more than 8192 bits (RFC 7518 section 3.3).
    #[error("the RSA key {kid:?} has {bits} bits; between 2048 and 8192 are accepted")]
    RsaSize {
        /// The `kid` of the key.
        kid: String,
        /// The length of its modulus in bits.
        bits: usize,
    },
    /// A member of a key is missing, is not base64url, or has the wrong length (RFC 7518 section 6); or it does not
    /// form a key with the other members, like a `y` that does not belong to the `x` on the curve.
    #[error("the member `{member}` of the key {kid:?} is missing or malformed")]
    Malformed {
        /// The `kid` of the key.
        kid: String,
        /// The name of the member.
        member: &'static str,
    },
    /// The set contains no key that could verify a token.
    #[error("the key set holds no key that could verify a token")]
    NoUsableKey,
}
