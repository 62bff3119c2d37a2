//! What a request shows beside a token to prove that its sender is the one that the token was issued to.

use crate::{Confirmation, DpopProof, Refusal, ReplayMemory};

/// The proofs of possession that come with a token. Empty by default, as with a bearer token (RFC 6750).
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
    /// Adds a DPoP proof, whose use is remembered in `memory`.
    #[must_use]
    pub fn with_dpop(mut self, proof: DpopProof<'a>, memory: &'a ReplayMemory) -> Self {
        self.dpop = Some((proof, memory));
        self
    }

    /// Adds the client's certificate of this connection: the SHA-256 of its DER form in base64url (RFC 8705 section
    /// 3.1). Pass only a certificate whose key the client has proved to hold in the TLS handshake.
    #[must_use]
    pub fn with_certificate(mut self, thumbprint: &'a str) -> Self {
        self.certificate = Some(thumbprint);
        self
    }

    /// Passes when the request proves possession of everything that the token is bound to. The use of the proof is
    /// remembered last, so that a refused request does not use it up.
    pub(crate) fn judge(&self, token: &str, cnf: Option<&Confirmation>, now: i64) -> Result<(), Refusal> {
        let (jkt, x5t) = cnf.map_or((None, None), |cnf| (cnf.jkt.as_deref(), cnf.x5t_s256.as_deref()));
        match (x5t, self.certificate) {
            (Some(_), None) => return Err(Refusal::ProofRequired),
            (Some(bound), Some(shown)) if bound != shown => return Err(Refusal::WrongCertificate),
            // A client certificate does not require that the token is bound to it.
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
