//! Hashes of other systems: bcrypt, and Django's forms of bcrypt and PBKDF2.

use std::fmt::Write as _;
use std::num::NonZeroU32;

use aws_lc_rs::{digest, pbkdf2};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bcrypt::HashParts;
use zeroize::Zeroizing;

use crate::model::Secret;

/// The highest cost that is accepted: each step doubles the work, and 15 takes seconds.
const MOST_BCRYPT_COST: u32 = 15;

/// bcrypt ignores all bytes after these.
const MOST_BCRYPT_BYTES: usize = 72;

/// The most iterations that are accepted. Django 5.2 uses a million.
const MOST_PBKDF2_ITERATIONS: u32 = 5_000_000;

pub(super) enum Foreign {
    /// `$2a$…`, `$2b$…`, `$2y$…`, also after Django's prefix `bcrypt$`.
    Bcrypt(String),
    /// Django's `bcrypt_sha256$…`: bcrypt of the SHA-256 of the password in hexadecimal.
    BcryptSha256(String),
    /// Django's `pbkdf2_sha256$iterations$salt$hash` and `pbkdf2_sha1$…`.
    Pbkdf2 {
        algorithm: pbkdf2::Algorithm,
        iterations: NonZeroU32,
        /// The salt as text, which is how Django uses it.
        salt: String,
        hash: Vec<u8>,
    },
}

impl Foreign {
    /// Reads any of these forms. It refuses a hash that would take too much work.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix("bcrypt_sha256$") {
            return bcrypt(rest).map(Self::BcryptSha256);
        }
        if let Some(rest) = text.strip_prefix("pbkdf2_sha256$") {
            return parse_pbkdf2(pbkdf2::PBKDF2_HMAC_SHA256, digest::SHA256_OUTPUT_LEN, rest);
        }
        if let Some(rest) = text.strip_prefix("pbkdf2_sha1$") {
            return parse_pbkdf2(pbkdf2::PBKDF2_HMAC_SHA1, digest::SHA1_OUTPUT_LEN, rest);
        }
        bcrypt(text.strip_prefix("bcrypt$").unwrap_or(text)).map(Self::Bcrypt)
    }

    /// Whether this kind of hash can distinguish `password` from others. bcrypt ignores what is beyond 72 bytes, so a
    /// longer password is wrong rather than truncated.
    pub(super) fn can_be_of(&self, password: &Secret) -> bool {
        match self {
            Self::Bcrypt(_) => password.expose().len() <= MOST_BCRYPT_BYTES,
            Self::BcryptSha256(_) | Self::Pbkdf2 { .. } => true,
        }
    }

    /// Whether the hash was made from `password`. Both libraries compare in constant time.
    pub(super) fn is_of(&self, password: &Secret) -> bool {
        match self {
            Self::Bcrypt(hash) => bcrypt::verify(password.expose(), hash).unwrap_or(false),
            Self::BcryptSha256(hash) => bcrypt::verify(sha256_hex(password).as_str(), hash).unwrap_or(false),
            Self::Pbkdf2 { algorithm, iterations, salt, hash } => {
                pbkdf2::verify(*algorithm, *iterations, salt.as_bytes(), password.expose().as_bytes(), hash).is_ok()
            }
        }
    }
}

fn bcrypt(text: &str) -> Option<String> {
    let is_sound = ["$2a$", "$2b$", "$2y$"].iter().any(|version| text.starts_with(version));
    let parts: HashParts = text.parse().ok().filter(|_| is_sound)?;
    (4..=MOST_BCRYPT_COST).contains(&parts.get_cost()).then(|| text.to_owned())
}

fn parse_pbkdf2(algorithm: pbkdf2::Algorithm, length: usize, rest: &str) -> Option<Foreign> {
    let mut parts = rest.split('$');
    let (iterations, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
    let iterations = iterations.parse::<NonZeroU32>().ok().filter(|number| number.get() <= MOST_PBKDF2_ITERATIONS)?;
    let hash = BASE64_STANDARD.decode(hash).ok().filter(|hash| hash.len() == length)?;
    if salt.is_empty() || parts.next().is_some() {
        return None;
    }
    Some(Foreign::Pbkdf2 { algorithm, iterations, salt: salt.to_owned(), hash })
}

fn sha256_hex(password: &Secret) -> Zeroizing<String> {
    let digest = digest::digest(&digest::SHA256, password.expose().as_bytes());
    digest.as_ref().iter().fold(Zeroizing::new(String::with_capacity(64)), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
