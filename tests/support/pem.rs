//! Private keys in files.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};

/// A new P-256 key in PEM form.
pub fn p256() -> String {
    let document = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap().to_pkcs8v1().unwrap();
    pem::encode(&pem::Pem::new("PRIVATE KEY", document.as_ref()))
}
