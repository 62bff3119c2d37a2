//! The token that carries a list (IETF Token Status List, section 5.1).

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

/// After how many seconds a verifier fetches a list again.
const TTL: u64 = 2;

#[derive(Debug)]
pub struct SignedList {
    pub plain: Representation,
    /// The token compressed with gzip: base64 within base64 is a third longer than it need be (section 8.2).
    pub gzip: Representation,
    /// The list contains everything that was revoked before this time.
    pub(super) as_of: Timestamp,
}

impl SignedList {
    #[must_use]
    pub fn token(&self) -> &str {
        str::from_utf8(&self.plain.octets).unwrap_or_default()
    }
}

/// A representation of a list (RFC 9110 section 3.2).
#[derive(Debug)]
pub struct Representation {
    /// Clones share the octets.
    pub octets: Bytes,
    /// The entity tag, in quotes (RFC 9110 section 8.8.3).
    pub etag: String,
}

pub(super) struct Draft {
    pub(super) uri: String,
    pub(super) as_of: Timestamp,
    pub(super) lst: Arc<str>,
}

/// The claims, in the order in which they are written.
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
    /// Signs the list. `iat` is the time as of which it is true, and `exp` counts from there, so that an instance that
    /// is cut off vouches for nothing that it cannot know.
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
