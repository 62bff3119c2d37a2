//! The compact serialisation of a signed JWT (RFC 7515 section 7.1): three parts between two dots.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::refusal::{Part, Refusal};

/// The parts of a token, still encoded.
pub(crate) struct Parts<'a> {
    pub(crate) header: &'a str,
    pub(crate) payload: &'a str,
    pub(crate) signature: &'a str,
    /// The signed text: the header, a dot and the payload.
    pub(crate) message: &'a str,
}

impl<'a> Parts<'a> {
    pub(crate) fn of(token: &'a str) -> Result<Self, Refusal> {
        let (message, signature) = token.rsplit_once('.').ok_or(Refusal::NotThreeParts)?;
        let (header, payload) = message.split_once('.').ok_or(Refusal::NotThreeParts)?;
        if header.is_empty() || payload.is_empty() || signature.is_empty() || payload.contains('.') {
            return Err(Refusal::NotThreeParts);
        }
        Ok(Self { header, payload, signature, message })
    }
}

/// Decodes strict base64url: no padding, no other alphabet, no stray bits in the last character.
pub(crate) fn decode(encoded: &str, part: Part) -> Result<Vec<u8>, Refusal> {
    URL_SAFE_NO_PAD.decode(encoded).map_err(|_| Refusal::NotBase64 { part })
}
