//! SHA-2 (FIPS 180-4), and comparison in constant time.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Algorithm, SHA256, SHA384, SHA512, digest};

#[must_use]
pub fn sha256(data: &[u8]) -> [u8; 32] {
    hash(&SHA256, data)
}

#[must_use]
pub fn sha384(data: &[u8]) -> [u8; 48] {
    hash(&SHA384, data)
}

#[must_use]
pub fn sha512(data: &[u8]) -> [u8; 64] {
    hash(&SHA512, data)
}

fn hash<const N: usize>(algorithm: &'static Algorithm, data: &[u8]) -> [u8; N] {
    let mut kept = [0; N];
    kept.copy_from_slice(digest(algorithm, data).as_ref());
    kept
}

/// Compares two digests in a time that does not depend on where they differ.
#[must_use]
pub fn equal(one: &[u8; 32], other: &[u8; 32]) -> bool {
    verify_slices_are_equal(one, other).is_ok()
}
