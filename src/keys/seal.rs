//! Seals private keys for the database: AES-256-GCM under a key derived from the master key.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce};
use aws_lc_rs::error::Unspecified;
use zeroize::Zeroizing;

use crate::clock::Random;

pub(super) struct Seal(LessSafeKey);

impl Seal {
    pub(super) fn new(key: LessSafeKey) -> Self {
        Self(key)
    }

    /// Returns nonce, ciphertext and tag of `pkcs8`, bound to `kid`: a sealed key moved to another row does not open.
    ///
    /// The nonce is random. That is safe for 2^32 seals under one key (NIST SP 800-38D section 8.3), and a server seals
    /// a few a month.
    pub(super) fn close(&self, kid: &str, pkcs8: &[u8], random: &Random) -> Result<Vec<u8>, Unspecified> {
        let nonce: [u8; NONCE_LEN] = random.bytes();
        let mut sealed = Vec::with_capacity(NONCE_LEN + pkcs8.len() + AES_256_GCM.tag_len());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(pkcs8);
        let (_, text) = sealed.split_at_mut(NONCE_LEN);
        let aad = Aad::from(kid.as_bytes());
        let tag = self.0.seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), aad, text)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Returns the PKCS#8 document that was sealed for `kid`; `None` when it was sealed under another key or for
    /// another `kid`, or has been changed.
    pub(super) fn open(&self, kid: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = Zeroizing::new(text.to_vec());
        let length = self.0.open_in_place(nonce, Aad::from(kid.as_bytes()), &mut text).ok()?.len();
        text.truncate(length);
        Some(text)
    }
}
