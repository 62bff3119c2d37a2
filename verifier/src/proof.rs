//! What comes with a token to show that its sender is the one that it was issued to.

use crate::{Confirmation, DpopProof, Refusal, ReplayMemory};

/// What a request shows beside its token. By default nothing, as with a bearer token (RFC 6750).
///
/// ```
/// use tokenhouse_verifier::{DpopProof, Proof, ReplayMemory};
///
/// // Once:
/// let memory = ReplayMemory::with_capacity(100_000);
/// // With each request whose token came with `Authorization: DPoP …`: its `DPoP` header, method and address.
/// let proof = Proof::default().with_dpop(DpopProof::new("eyJ…", "GET", "https://api.example.com/notes"), &memory);
/// // verifier.verify_bound(token, &keys, now, &proof)
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Proof<'a> {
    dpop: Option<(DpopProof<'a>, &'a ReplayMemory)>,
    certificate: Option<&'a str>,
}

impl<'a> Proof<'a> {
    /// With this DPoP proof, whose use is remembered in `memory`.
    #[must_use]
    pub fn with_dpop(mut self, proof: DpopProof<'a>, memory: &'a ReplayMemory) -> Self {
        self.dpop = Some((proof, memory));
        self
    }

    /// With the certificate of the client on this connection: the SHA-256 of its DER form in base64url (RFC 8705
    /// section 3.1). Only one with which the client has proved, in the TLS handshake, that it holds the key.
    #[must_use]
    pub fn with_certificate(mut self, thumbprint: &'a str) -> Self {
        self.certificate = Some(thumbprint);
        self
    }

    /// Passes when everything that the token is bound to has been shown. The proof's use is remembered last, so that a
    /// refused request does not use it up.
    pub(crate) fn judge(&self, token: &str, cnf: Option<&Confirmation>, now: i64) -> Result<(), Refusal> {
        let (jkt, x5t) = cnf.map_or((None, None), |cnf| (cnf.jkt.as_deref(), cnf.x5t_s256.as_deref()));
        match (x5t, self.certificate) {
            (Some(_), None) => return Err(Refusal::ProofRequired),
            (Some(bound), Some(shown)) if bound != shown => return Err(Refusal::WrongCertificate),
            // A connection may have a certificate for reasons of its own.
            (Some(_) | None, Some(_)) | (None, None) => {}
        }
        match (jkt, self.dpop) {
            (Some(_), None) => Err(Refusal::ProofRequired),
            (None, Some(_)) => Err(Refusal::NotBound),
            (Some(jkt), Some((proof, memory))) => Ok(memory.remember(&proof.check(token, jkt, now)?, now)?),
            (None, None) => Ok(()),
        }
    }
}
