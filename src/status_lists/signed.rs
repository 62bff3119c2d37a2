//! The token that carries a list (IETF Token Status List, section 5.1), ready to serve.

use std::io::{self, Write};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;

use crate::clock::Timestamp;
use crate::digest;
use crate::error::{Error, Internal};
use crate::keys::Keyring;
use crate::model::{LIST_LIFETIME, SigningAlgorithm};
use crate::protocol::TokenType;

/// After how many seconds a service that verifies asks for a fresh list.
const TTL: u64 = 2;

/// A signed list, ready to serve.
#[derive(Debug)]
pub struct SignedList {
    /// As the text of the token.
    pub plain: Representation,
    /// The same, compressed with gzip: base64 within base64 is a third longer than it need be (section 8.2).
    pub gzip: Representation,
    /// Whatever was revoked before this moment, it says.
    pub(super) as_of: Timestamp,
}

impl SignedList {
    /// The compact JWS.
    #[must_use]
    pub fn token(&self) -> &str {
        str::from_utf8(&self.plain.octets).unwrap_or_default()
    }
}

/// A representation of a list, as it goes over the wire (RFC 9110 section 3.2).
#[derive(Debug)]
pub struct Representation {
    /// The body of the answer; clones share its octets.
    pub octets: Bytes,
    /// The entity tag, in quotes (RFC 9110 section 8.8.3).
    pub etag: String,
}

/// What is to be signed.
pub(super) struct Draft {
    pub(super) uri: String,
    pub(super) as_of: Timestamp,
    pub(super) lst: Arc<str>,
}

/// The claims in the order in which they are written.
#[derive(Serialize)]
struct Claims<'a> {
    sub: &'a str,
    iat: i64,
    exp: i64,
    ttl: u64,
    status_list: Bits<'a>,
}

/// `status_list` (section 4.2).
#[derive(Serialize)]
struct Bits<'a> {
    bits: u8,
    lst: &'a str,
}

impl Draft {
    /// Signs the list. `iat` is the moment as of which it is true, so that an instance that hears nothing of the others
    /// vouches for nothing that it cannot know, and `exp` counts from there.
    pub(super) fn sign(self, keys: &Keyring, algorithm: SigningAlgorithm) -> Result<SignedList, Error> {
        let iat = Timestamp::from_seconds(self.as_of.seconds());
        let claims = Claims {
            sub: &self.uri,
            iat: iat.seconds(),
            exp: iat.plus(LIST_LIFETIME).seconds(),
            ttl: TTL,
            status_list: Bits { bits: 1, lst: &self.lst },
        };
        let token = keys.sign(algorithm, TokenType::StatusList, &claims)?;
        let gzip = gzip(&token).map_err(|error| Internal::new("a status list cannot be compressed", error))?;
        let tag = URL_SAFE_NO_PAD.encode(digest::sha256(token.as_bytes()));
        Ok(SignedList {
            plain: Representation { octets: token.into(), etag: format!("\"{tag}\"") },
            gzip: Representation { octets: gzip.into(), etag: format!("\"{tag}.gz\"") },
            as_of: self.as_of,
        })
    }
}

fn gzip(text: &str) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes())?;
    encoder.finish()
}
