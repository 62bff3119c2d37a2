//! The status and the challenge with which a resource server answers a refused token (RFC 6750 section 3, RFC 9449
//! section 7.1).

use crate::{Algorithm, ProofFlaw, Refusal};

impl Refusal {
    /// The HTTP status with which a resource server answers.
    ///
    /// * **401** when the token is not valid (any more): the client obtains another one.
    /// * **403** when the token is valid and a scope is missing.
    /// * **503** when the token cannot be judged at present, for example because the keys or the status lists are too
    ///   old. The client retries later with the same token; a 401 would sign an honest client out.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        match self.kind() {
            Kind::InvalidToken | Kind::Dpop(_) => 401,
            Kind::InsufficientScope(_) => 403,
            Kind::Unavailable => 503,
        }
    }

    /// The value of `WWW-Authenticate` that goes with [`http_status`](Self::http_status), or `None` with a 503. It
    /// names only the error; the reason for the refusal belongs in the log of the service.
    ///
    /// ```
    /// # use tokenhouse_verifier::Refusal;
    /// let refusal = Refusal::MissingScope { scope: "notes:write".into() };
    /// assert_eq!(refusal.http_status(), 403);
    /// assert_eq!(refusal.challenge().unwrap(), r#"Bearer error="insufficient_scope", scope="notes:write""#);
    /// assert_eq!(Refusal::Revoked.challenge().unwrap(), r#"Bearer error="invalid_token""#);
    /// assert_eq!(Refusal::StatusStale { seconds: 90 }.challenge(), None);
    /// ```
    #[must_use]
    pub fn challenge(&self) -> Option<String> {
        match self.kind() {
            Kind::InvalidToken => Some(r#"Bearer error="invalid_token""#.to_owned()),
            Kind::InsufficientScope(scope) if is_scope(scope) => {
                Some(format!(r#"Bearer error="insufficient_scope", scope="{scope}""#))
            }
            Kind::InsufficientScope(_) => Some(r#"Bearer error="insufficient_scope""#.to_owned()),
            Kind::Dpop(error) => {
                let algorithms = Algorithm::ALL.map(Algorithm::name).join(" ");
                Some(format!(r#"DPoP error="{error}", algs="{algorithms}""#))
            }
            Kind::Unavailable => None,
        }
    }

    fn kind(&self) -> Kind<'_> {
        match self {
            Self::MissingScope { scope } => Kind::InsufficientScope(scope),
            Self::StatusUnknown
            | Self::StatusStale { .. }
            | Self::KeysStale { .. }
            | Self::BadProof(ProofFlaw::MemoryFull) => Kind::Unavailable,
            Self::BadProof(ProofFlaw::WrongNonce) => Kind::Dpop("use_dpop_nonce"),
            Self::BadProof(ProofFlaw::WrongKey) | Self::NotBound => Kind::Dpop("invalid_token"),
            Self::BadProof(_) => Kind::Dpop("invalid_dpop_proof"),
            _ => Kind::InvalidToken,
        }
    }
}

enum Kind<'a> {
    InvalidToken,
    /// The error code for a client that sends proofs.
    Dpop(&'static str),
    InsufficientScope(&'a str),
    Unavailable,
}

/// Whether the text may appear between quotation marks without escapes (RFC 6749 section 3.3).
fn is_scope(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' ' | 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}
