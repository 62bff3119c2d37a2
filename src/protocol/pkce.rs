//! Proof Key for Code Exchange with S256, the only supported method (RFC 7636, RFC 9700 section 2.1.1).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::OAuthError;
use crate::digest;

/// `code_challenge`: the SHA-256 of a verifier that only the client knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CodeChallenge([u8; 32]);

impl CodeChallenge {
    /// Reads `code_challenge` and `code_challenge_method`. An absent method would mean `plain` (RFC 7636 section 4.3).
    ///
    /// # Errors
    /// `invalid_request` unless the method is S256 and the challenge is the base64url form of 32 bytes.
    pub fn parse(challenge: &str, method: Option<&str>) -> Result<Self, OAuthError> {
        if method != Some("S256") {
            return Err(OAuthError::invalid_request("code_challenge_method is S256"));
        }
        Self::decode(challenge).ok_or_else(|| OAuthError::invalid_request("code_challenge is 43 base64url characters"))
    }

    /// Whether this is the challenge of `verifier`.
    #[must_use]
    pub fn is_answered_by(&self, verifier: &str) -> bool {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        (43..=128).contains(&verifier.len())
            && verifier.bytes().all(unreserved)
            && digest::equal(&self.0, &digest::sha256(verifier.as_bytes()))
    }

    fn decode(challenge: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(challenge).ok()?.try_into().ok().map(Self)
    }
}

impl TryFrom<String> for CodeChallenge {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::decode(&text).ok_or("not the base64url form of 32 bytes")
    }
}

impl From<CodeChallenge> for String {
    fn from(challenge: CodeChallenge) -> Self {
        URL_SAFE_NO_PAD.encode(challenge.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_the_rfc_fits() {
        let challenge = CodeChallenge::parse(CHALLENGE, Some("S256")).unwrap();

        assert!(challenge.is_answered_by(VERIFIER));
        assert!(!challenge.is_answered_by(&VERIFIER.replace('d', "e")));
        assert!(!challenge.is_answered_by(CHALLENGE));
        assert!(!challenge.is_answered_by(""));
    }

    #[test]
    fn plain_and_malformed_challenges_are_refused() {
        for (challenge, method) in [
            (CHALLENGE, None),
            (CHALLENGE, Some("plain")),
            (CHALLENGE, Some("s256")),
            ("", Some("S256")),
            (&CHALLENGE[1..], Some("S256")),
            ("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=", Some("S256")),
        ] {
            assert!(CodeChallenge::parse(challenge, method).is_err(), "{challenge} {method:?}");
        }
    }
}
