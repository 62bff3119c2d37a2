//! Why a proof was refused.

/// Why a DPoP proof was refused (RFC 9449 section 4.3).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofFlaw {
    /// The text is longer than is read. It was not parsed.
    #[error("it is longer than {limit} bytes")]
    TooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// The text is not a signed JWT of the type `dpop+jwt`, or it demands extensions (`crit`).
    #[error("it is not a signed JWT of the type `dpop+jwt`")]
    NotAProof,
    /// The header's `alg` is not one of the asymmetric algorithms that this crate knows.
    #[error("its signature algorithm is not accepted")]
    UnacceptableAlgorithm,
    /// The header's `jwk` is missing, private, malformed, too short, or not a key of the header's `alg`.
    #[error("its key is missing, private, malformed or not one of its algorithm")]
    UnacceptableKey,
    /// The signature was not made with the key in the header.
    #[error("its signature does not match")]
    BadSignature,
    /// A claim is missing, is empty, or has the wrong type.
    #[error("its claim `{claim}` is missing or has the wrong type")]
    BadClaim {
        /// The name of the claim.
        claim: &'static str,
    },
    /// `htm` is not the method of the request.
    #[error("it was made for another method")]
    WrongMethod,
    /// `htu` is not the address of the request, or one of the two is no absolute `http` or `https` URI.
    #[error("it was made for another address")]
    WrongUri,
    /// `iat` lies too far back.
    #[error("it was made {seconds} s ago")]
    TooOld {
        /// How long ago, in seconds.
        seconds: i64,
    },
    /// `iat` lies too far ahead: one of the two clocks is wrong.
    #[error("it says that it was made {seconds} s in the future; one of the clocks is wrong")]
    FromTheFuture {
        /// How far ahead, in seconds.
        seconds: i64,
    },
    /// The service requires a nonce and the proof has another one or none. Answer with `use_dpop_nonce` and a
    /// `DPoP-Nonce` (RFC 9449 section 9).
    #[error("it does not have the nonce that was asked for")]
    WrongNonce,
    /// `ath` is not the SHA-256 of the token.
    #[error("it was made for another token")]
    WrongToken,
    /// The proof was signed with another key than the one that the token is bound to.
    #[error("it was made with another key than the token's")]
    WrongKey,
    /// The proof was used before (RFC 9449 section 11.1); or it may have been, because the clock was set back to a time
    /// whose proofs are forgotten.
    #[error("it was used before")]
    Replayed,
    /// The memory of used proofs is full, or this key's share of it, so that a second use would go unnoticed. Answer
    /// with status 503.
    #[error("the memory of used proofs is full")]
    MemoryFull,
}
