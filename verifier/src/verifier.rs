//! The rules for access tokens, without network and without a clock.

use serde::de::DeserializeOwned;

use crate::{AccessToken, KeySet, Proof, Refusal, claims};

/// Checks access tokens: the signature, the type, the issuer, the audience and the times (RFC 9068 section 4).
///
/// Make one at start-up and share it. It never waits, reads no clock and keeps no state: the keys and the time are
/// arguments of each call.
#[derive(Debug, Clone)]
pub struct Verifier {
    issuer: String,
    audience: Audience,
    leeway: i64,
    max_token_length: usize,
}

#[derive(Debug, Clone)]
enum Audience {
    OneOf(Vec<String>),
    Any,
}

impl Verifier {
    /// Makes a verifier for a service that is known by one of `audiences`.
    ///
    /// `issuer` is compared with `iss` character by character, so write it exactly as the issuer does (no slash more,
    /// no slash less). A token passes when its `aud` names at least one of `audiences`, again exactly; with an empty
    /// list none does.
    #[must_use]
    pub fn new<A: Into<String>>(issuer: impl Into<String>, audiences: impl IntoIterator<Item = A>) -> Self {
        Self::with_audience(issuer.into(), Audience::OneOf(audiences.into_iter().map(Into::into).collect()))
    }

    /// Makes a verifier that accepts tokens **for every audience**.
    ///
    /// Only the issuer itself has a use for it, to check the tokens that it issued for others. A service that skips the
    /// audience accepts tokens that were meant for other services, and the operator of one of those can then act as any
    /// of its users here (RFC 9068 section 5).
    #[must_use]
    pub fn dangerous_any_audience(issuer: impl Into<String>) -> Self {
        Self::with_audience(issuer.into(), Audience::Any)
    }

    fn with_audience(issuer: String, audience: Audience) -> Self {
        Self { issuer, audience, leeway: 60, max_token_length: 16 * 1024 }
    }

    /// Sets by how many seconds the clocks of issuer and verifier may differ, for `exp`, `nbf` and `iat`. 60 unless
    /// set.
    #[must_use]
    pub fn with_leeway_seconds(mut self, seconds: u32) -> Self {
        self.leeway = i64::from(seconds);
        self
    }

    /// Sets the length of the longest token that is read, in bytes. 16,384 unless set.
    #[must_use]
    pub fn with_max_token_length(mut self, bytes: usize) -> Self {
        self.max_token_length = bytes;
        self
    }

    /// Checks a token and returns its claims. `now` is the time in seconds since 1970-01-01 UTC.
    ///
    /// A token that is bound to a key passes too, but must not be accepted before its proof was checked:
    /// [`verify_bound`](Self::verify_bound) does both.
    ///
    /// # Errors
    /// The first [`Refusal`] that applies. [`Refusal::UnknownKey`] may mean that `keys` is out of date.
    pub fn verify(&self, token: &str, keys: &KeySet, now: i64) -> Result<AccessToken, Refusal> {
        self.read_and_judge(&self.signed_payload(token, keys)?, now)
    }

    /// Checks a token and that its sender holds the key or the certificate that it is bound to, if it is bound
    /// (RFC 9449 section 7.1, RFC 8705 section 3). A bearer token passes with the empty [`Proof::default`].
    ///
    /// # Errors
    /// As [`Verifier::verify`], and [`Refusal::ProofRequired`], [`Refusal::BadProof`], [`Refusal::NotBound`] or
    /// [`Refusal::WrongCertificate`].
    pub fn verify_bound(
        &self,
        token: &str,
        keys: &KeySet,
        now: i64,
        proof: &Proof<'_>,
    ) -> Result<AccessToken, Refusal> {
        let access_token = self.verify(token, keys, now)?;
        proof.judge(token, access_token.cnf.as_ref(), now)?;
        Ok(access_token)
    }

    /// Like [`Verifier::verify`], and reads the claims once more as `C`, for claims that [`AccessToken`] does not know.
    ///
    /// # Errors
    /// As [`Verifier::verify`], and [`Refusal::ExtraClaims`] when the claims are not a `C`.
    pub fn verify_with_claims<C: DeserializeOwned>(
        &self,
        token: &str,
        keys: &KeySet,
        now: i64,
    ) -> Result<(AccessToken, C), Refusal> {
        let payload = self.signed_payload(token, keys)?;
        let access_token = self.read_and_judge(&payload, now)?;
        let claims =
            serde_json::from_slice(&payload).map_err(|error| Refusal::ExtraClaims { reason: error.to_string() })?;
        Ok((access_token, claims))
    }

    /// Returns the decoded payload of a token that one of the keys has signed as an access token.
    fn signed_payload(&self, token: &str, keys: &KeySet) -> Result<Vec<u8>, Refusal> {
        if token.len() > self.max_token_length {
            return Err(Refusal::TooLong { length: token.len(), limit: self.max_token_length });
        }
        keys.signed_payload(token, "at+jwt")
    }

    fn read_and_judge(&self, payload: &[u8], now: i64) -> Result<AccessToken, Refusal> {
        let token = claims::read(payload)?;
        if token.iss != self.issuer {
            return Err(Refusal::WrongIssuer { found: token.iss });
        }
        if !self.audience.accepts(&token.aud) {
            return Err(Refusal::WrongAudience { found: token.aud });
        }
        self.judge_times(&token, now)?;
        Ok(token)
    }

    fn judge_times(&self, token: &AccessToken, now: i64) -> Result<(), Refusal> {
        // RFC 7519 section 4.1.4 refuses a token "on or after" `exp`, so the boundary itself is too late.
        if now >= token.exp.saturating_add(self.leeway) {
            return Err(Refusal::Expired { seconds_ago: now.saturating_sub(token.exp) });
        }
        let latest = now.saturating_add(self.leeway);
        if let Some(nbf) = token.nbf.filter(|nbf| *nbf > latest) {
            return Err(Refusal::NotYetValid { seconds: nbf.saturating_sub(now) });
        }
        if token.iat > latest {
            return Err(Refusal::IssuedInTheFuture { seconds: token.iat.saturating_sub(now) });
        }
        Ok(())
    }
}

impl Audience {
    fn accepts(&self, found: &[String]) -> bool {
        match self {
            Self::OneOf(ours) => found.iter().any(|audience| ours.contains(audience)),
            Self::Any => true,
        }
    }
}
