//! The reasons for which a token is refused, with texts for the operator of the service.

use std::fmt;

use crate::{Algorithm, ProofFlaw};

/// The reason why a token was refused.
///
/// The text of each variant may be logged and shown to an operator: it never contains the token, its signature, or a
/// claim about the user. A *client* gets less: [`http_status`](Self::http_status) and [`challenge`](Self::challenge).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The text is longer than the verifier reads. It was not parsed at all.
    #[error("the token is {length} bytes long; at most {limit} are read")]
    TooLong {
        /// Length of the text in bytes.
        length: usize,
        /// The limit in bytes, see [`Verifier::with_max_token_length`](crate::Verifier::with_max_token_length).
        limit: usize,
    },
    /// The text is not the compact serialisation of RFC 7515 section 7.1: three non-empty parts between two dots.
    #[error("this is not a signed JWT: three parts between two dots were expected")]
    NotThreeParts,
    /// The header is longer than the verifier reads. It was not decoded.
    #[error("the token's header is {length} bytes long; at most {limit} are read")]
    HeaderTooLong {
        /// Length of the encoded header in bytes.
        length: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A part is not canonical base64url without padding (RFC 7515 section 2).
    #[error("the {part} of the token is not base64url")]
    NotBase64 {
        /// The part at fault.
        part: Part,
    },
    /// A part is not one JSON object (RFC 7515 section 4, RFC 7519 section 7.2).
    #[error("the {part} of the token is not a JSON object")]
    NotAnObject {
        /// The part at fault.
        part: Part,
    },
    /// A part contains a member twice, so two readers could understand it differently (RFC 7515 section 4, RFC 7519
    /// section 4).
    #[error("the {part} of the token names a member twice")]
    DuplicateMember {
        /// The part at fault.
        part: Part,
    },
    /// A header parameter that the verifier reads is not a string.
    #[error("the header parameter `{name}` is not a string")]
    MalformedHeader {
        /// The name of the parameter.
        name: &'static str,
    },
    /// The header has `crit`: it demands extensions that this verifier does not know (RFC 7515 section 4.1.11).
    #[error("the token demands extensions (`crit`) that are not understood")]
    CriticalExtension,
    /// The header's `typ` is not `at+jwt` (RFC 9068 section 4): an ID token, a refresh token or something else.
    #[error("this is not an access token: its `typ` is not `at+jwt`")]
    NotAnAccessToken,
    /// The header's `alg` is missing, `none`, symmetric, or another that is never accepted (RFC 8725 section 3.1).
    #[error("the token's signature algorithm is not accepted")]
    UnacceptableAlgorithm,
    /// The header has no usable `kid`, so no key can be chosen.
    #[error("the token does not name its key (`kid`)")]
    MissingKid,
    /// No key with this `kid` is in the key set. Either the key set is out of date, or the token is not from this
    /// issuer. The caller may fetch the JWKS once more, but not on every such token.
    #[error("no key {kid:?} is in the key set")]
    UnknownKey {
        /// The `kid` as the token spells it, at most 256 bytes. It is not trustworthy.
        kid: String,
    },
    /// The header's `alg` is not the one algorithm of the key (RFC 8725 section 3.1).
    #[error("the token's signature algorithm is not that of its key, which is {expected}")]
    WrongAlgorithm {
        /// The algorithm of the key.
        expected: Algorithm,
    },
    /// The signature does not match.
    #[error("the token's signature does not match: it was changed, or signed with another key")]
    BadSignature,
    /// A claim that every access token must have is missing (RFC 9068 section 2.2).
    #[error("the claim `{claim}` is missing")]
    MissingClaim {
        /// The name of the claim.
        claim: &'static str,
    },
    /// A claim has the wrong JSON type, such as `exp` as a string or a fraction.
    #[error("the claim `{claim}` has the wrong type")]
    WrongClaimType {
        /// The name of the claim.
        claim: &'static str,
    },
    /// The token comes from another issuer (RFC 9068 section 4).
    #[error("the token was issued by {found:?}, not by the expected issuer")]
    WrongIssuer {
        /// The token's `iss`.
        found: String,
    },
    /// The token is meant for other services (RFC 9068 section 4).
    #[error("the token is for {found:?}, not for this service")]
    WrongAudience {
        /// The token's `aud`.
        found: Vec<String>,
    },
    /// `exp` has passed (RFC 7519 section 4.1.4).
    #[error("the token expired {seconds_ago} s ago")]
    Expired {
        /// How long ago, in seconds, without the leeway.
        seconds_ago: i64,
    },
    /// `nbf` lies in the future (RFC 7519 section 4.1.5).
    #[error("the token is not valid before {seconds} s from now")]
    NotYetValid {
        /// How far ahead, in seconds, without the leeway.
        seconds: i64,
    },
    /// `iat` lies in the future: one of the two clocks is wrong.
    #[error("the token says that it was issued {seconds} s in the future; one of the clocks is wrong")]
    IssuedInTheFuture {
        /// How far ahead, in seconds, without the leeway.
        seconds: i64,
    },
    /// The extra claims that the caller asked for are missing or of another shape.
    #[error("the token's extra claims do not have the expected shape")]
    ExtraClaims {
        /// The parser's message. It may quote a claim, so the text of the refusal leaves it out.
        reason: String,
    },
    /// The token lacks a scope that the caller requires (RFC 6750 section 3.1, `insufficient_scope`).
    #[error("the token does not have the scope {scope:?}")]
    MissingScope {
        /// The scope that was required.
        scope: String,
    },
    /// The token is bound to a key or a certificate (`cnf`), and came without the proof that the sender holds it (RFC
    /// 9449 section 7.2).
    #[error("the token is bound to a key; it is not accepted as a bearer token")]
    ProofRequired,
    /// The DPoP proof was refused (RFC 9449 section 7.1). [`Refusal::challenge`] names the error for the client.
    #[error("the DPoP proof is refused: {0}")]
    BadProof(#[from] ProofFlaw),
    /// A DPoP proof came with a token that is not bound to a key (RFC 9449 section 7.1).
    #[error("the token is not bound to a key, so a DPoP proof proves nothing")]
    NotBound,
    /// The token is bound to another certificate than the one of the connection (RFC 8705 section 3).
    #[error("the token is bound to another certificate")]
    WrongCertificate,
    /// The token was revoked, or its session has ended, according to the issuer's status list or events.
    #[error("the token was revoked")]
    Revoked,
    /// The token's status index lies outside its status list, so whether it was revoked is unknown (IETF Token Status
    /// List, section 8.3).
    #[error("the token's status index {index} lies outside its status list")]
    OutsideStatusList {
        /// The status index that the token names.
        index: u64,
    },
    /// The token's status list is not followed, or could not be read yet. Answered with status 503.
    #[error("the token's status list is not known (yet), so whether it was revoked cannot be told")]
    StatusUnknown,
    /// The token's status list is older than is allowed. Answered with status 503.
    #[error("the token's status list is {seconds} s old, so whether it was revoked cannot be told")]
    StatusStale {
        /// The age of the list, in seconds.
        seconds: i64,
    },
    /// The issuer's keys could not be read for longer than is allowed. Answered with status 503.
    #[error("the issuer's keys were last read {seconds} s ago")]
    KeysStale {
        /// The time since they were read, in seconds.
        seconds: i64,
    },
}

/// One of the three parts of a signed JWT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The first part: how the token is signed.
    Header,
    /// The second part: the claims.
    Payload,
    /// The third part: the signature over the other two.
    Signature,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
        })
    }
}
