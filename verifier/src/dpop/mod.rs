//! DPoP: the sender of a request proves to hold the key that the token is bound to (RFC 9449).

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use self::signed_proof::{ProofClaims, SignedProof};

mod flaw;
mod http_uri;
mod replay_memory;
mod signed_proof;

pub use self::flaw::ProofFlaw;
pub use self::replay_memory::ReplayMemory;

/// A DPoP proof and the request that it came with (RFC 9449 section 4.3).
///
/// Take the proof from the only `DPoP` header of the request (two are an error), and only when the token came with
/// `Authorization: DPoP …`: next to a bearer token the header has no meaning (RFC 9449 section 7.2).
#[derive(Debug, Clone, Copy)]
pub struct DpopProof<'a> {
    proof: &'a str,
    method: &'a str,
    uri: &'a str,
    nonce: Option<&'a str>,
    window: i64,
}

impl<'a> DpopProof<'a> {
    /// Makes a proof for a request with this method to this absolute URI, as the client wrote it: behind a proxy that
    /// is the outer URI. A query and a fragment are not compared.
    #[must_use]
    pub fn new(proof: &'a str, method: &'a str, uri: &'a str) -> Self {
        Self { proof, method, uri, nonce: None, window: 60 }
    }

    /// Requires this nonce, which the service has handed out in `DPoP-Nonce` (RFC 9449 section 9).
    #[must_use]
    pub fn with_nonce(mut self, nonce: &'a str) -> Self {
        self.nonce = Some(nonce);
        self
    }

    /// Sets by how many seconds `iat` may differ from the time of the service, either way. 60 unless set.
    #[must_use]
    pub fn with_window_seconds(mut self, seconds: u32) -> Self {
        self.window = i64::from(seconds);
        self
    }

    /// Checks that the proof is for this request and this token, and signed with the key that has the thumbprint `jkt`
    /// (RFC 9449 section 4.3). `now` is the time in seconds since 1970-01-01 UTC.
    ///
    /// The caller must remember the result, or the same proof passes again: [`ReplayMemory`](crate::ReplayMemory) does
    /// that for one process.
    ///
    /// # Errors
    /// The first [`ProofFlaw`] that applies.
    pub fn check(&self, token: &str, jkt: &str, now: i64) -> Result<ProofUse, ProofFlaw> {
        let proof = SignedProof::read(self.proof)?;
        let claims = proof.claims()?;
        self.judge(&claims, now)?;
        if claims.ath != base64url_sha256(token.as_bytes()) {
            return Err(ProofFlaw::WrongToken);
        }
        let key = sha256(proof.thumbprint_input.as_bytes());
        let thumbprint = URL_SAFE_NO_PAD.encode(key);
        if thumbprint != jkt {
            return Err(ProofFlaw::WrongKey);
        }
        let id = sha256(format!("{thumbprint}.{}", claims.jti).as_bytes());
        Ok(ProofUse { id, key, until: claims.iat.saturating_add(self.window) })
    }

    fn judge(&self, claims: &ProofClaims, now: i64) -> Result<(), ProofFlaw> {
        if claims.htm != self.method {
            return Err(ProofFlaw::WrongMethod);
        }
        if http_uri::normalised(&claims.htu).is_none_or(|htu| http_uri::normalised(self.uri) != Some(htu)) {
            return Err(ProofFlaw::WrongUri);
        }
        if claims.iat < now.saturating_sub(self.window) {
            return Err(ProofFlaw::TooOld { seconds: now.saturating_sub(claims.iat) });
        }
        if claims.iat > now.saturating_add(self.window) {
            return Err(ProofFlaw::FromTheFuture { seconds: claims.iat.saturating_sub(now) });
        }
        if self.nonce.is_some() && self.nonce != claims.nonce.as_deref() {
            return Err(ProofFlaw::WrongNonce);
        }
        Ok(())
    }
}

fn base64url_sha256(octets: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(sha256(octets))
}

fn sha256(octets: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, octets).as_ref());
    hash
}

/// A proof that has passed, and that must not pass a second time (RFC 9449 section 11.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProofUse {
    /// The SHA-256 of the key's thumbprint and the proof's `jti`, of fixed length whatever the client has written.
    pub id: [u8; 32],
    /// The thumbprint of the key (RFC 7638), by SHA-256.
    pub key: [u8; 32],
    /// The last second at which the proof would pass.
    pub until: i64,
}
