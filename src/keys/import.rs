//! Imports private keys in PEM form (RFC 7468).

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
};
use pem::Pem;
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::pkcs8::{EncodePrivateKey as _, ObjectIdentifier, PrivateKeyInfo};
use rsa::traits::PublicKeyParts as _;
use rsa::{BigUint, RsaPrivateKey};
use zeroize::{Zeroize as _, Zeroizing};

use super::prepared::PrivateKey;
use crate::model::SigningAlgorithm;

/// RFC 8017 appendix A.1 (`rsaEncryption`) and A.2.3 (`id-RSASSA-PSS`).
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
/// RFC 5480 section 2.1.1 (`id-ecPublicKey`).
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// RFC 8410 section 3 (`id-Ed25519`).
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// Why a key is refused: the end of a sentence that begins with the origin of the key. It reveals nothing of the key.
pub(super) type Refusal = String;

/// Reads the one private key of a PEM text: PKCS#8 (`PRIVATE KEY`, RFC 5958), PKCS#1 (`RSA PRIVATE KEY`, RFC 8017
/// appendix A.1.2) or SEC1 (`EC PRIVATE KEY`, RFC 5915). RSA keys sign with the algorithm `rsa`, because the key does
/// not name one.
pub(super) fn parse(text: &str, rsa: SigningAlgorithm) -> Result<PrivateKey, Refusal> {
    let pem = only_key(text)?;
    let tag = pem.tag().to_owned();
    let is_encrypted = pem.headers().get("Proc-Type").is_some_and(|value| value.contains("ENCRYPTED"));
    let der = Zeroizing::new(pem.into_contents());
    match tag.as_str() {
        _ if is_encrypted => Err(ENCRYPTED.to_owned()),
        "ENCRYPTED PRIVATE KEY" => Err(ENCRYPTED.to_owned()),
        "PRIVATE KEY" => from_pkcs8(&der, rsa),
        "RSA PRIVATE KEY" => from_rsa(RsaPrivateKey::from_pkcs1_der(&der).ok(), rsa),
        "EC PRIVATE KEY" => from_ec(&der),
        other => Err(format!("holds a {other:?} where a private key is expected")),
    }
}

const ENCRYPTED: &str = "is encrypted: decrypt it first, with `openssl pkcs8 -topk8 -nocrypt -in OLD.pem -out NEW.pem`";

fn only_key(text: &str) -> Result<Pem, Refusal> {
    let blocks = pem::parse_many(text).map_err(|_| "is not PEM, or is cut off")?;
    // OpenSSL writes the name of the curve in a separate block before the key.
    let mut keys = blocks.into_iter().filter(|block| block.tag() != "EC PARAMETERS");
    match (keys.next(), keys.next()) {
        (Some(key), None) => Ok(key),
        (None, _) => Err("holds no PEM block, or only half of one".to_owned()),
        (Some(first), Some(second)) => {
            for block in [first, second].into_iter().chain(keys) {
                block.into_contents().zeroize();
            }
            Err("holds more than one PEM block: put each key into a file of its own".to_owned())
        }
    }
}

fn from_pkcs8(der: &[u8], rsa: SigningAlgorithm) -> Result<PrivateKey, Refusal> {
    let info = PrivateKeyInfo::try_from(der).map_err(|_| "is not a PKCS#8 private key, or is damaged")?;
    match info.algorithm.oid {
        RSA => from_rsa(RsaPrivateKey::try_from(info).ok(), rsa),
        EC => from_ec(der),
        ED25519 => from_ed25519(der),
        RSA_PSS => Err("is an RSA key for PSS only, which is not supported: use an ordinary RSA key".to_owned()),
        other => {
            Err(format!("holds a key of an unsupported kind ({other}): RSA, P-256, P-384 and Ed25519 are supported"))
        }
    }
}

fn from_rsa(key: Option<RsaPrivateKey>, algorithm: SigningAlgorithm) -> Result<PrivateKey, Refusal> {
    let key = key.ok_or("holds an RSA key that is damaged, or has more than two primes")?;
    let bits = key.n().bits();
    if bits < 2048 {
        return Err(format!("holds an RSA key of {bits} bits: at least 2048 are needed (RFC 7518 section 3.3)"));
    }
    if bits > 8192 {
        return Err(format!("holds an RSA key of {bits} bits: verifiers accept at most 8192"));
    }
    // FIPS 186-5 section 5.1: smaller exponents made many attacks easy. The crate `rsa` has refused exponents longer
    // than 33 bits.
    if *key.e() < BigUint::from(65_537_u32) || key.e().to_bytes_le()[0] & 1 == 0 {
        return Err(format!("holds an RSA key with the public exponent {}: 65537 is the usual one", key.e()));
    }
    let document = key.to_pkcs8_der().map_err(|_| "holds an RSA key that is damaged")?;
    Ok(PrivateKey { algorithm, pkcs8: document.to_bytes() })
}

/// Reads SEC1 or PKCS#8; both become PKCS#8.
fn from_ec(der: &[u8]) -> Result<PrivateKey, Refusal> {
    let curves = [
        (SigningAlgorithm::Es256, &ECDSA_P256_SHA256_FIXED_SIGNING),
        (SigningAlgorithm::Es384, &ECDSA_P384_SHA384_FIXED_SIGNING),
    ];
    curves
        .into_iter()
        .find_map(|(algorithm, curve)| {
            let document = EcdsaKeyPair::from_private_key_der(curve, der).ok()?.to_pkcs8v1().ok()?;
            Some(PrivateKey { algorithm, pkcs8: Zeroizing::new(document.as_ref().to_vec()) })
        })
        .ok_or_else(|| "holds an EC key that is damaged, or on another curve than P-256 and P-384".to_owned())
}

/// Reads version 1 or 2 of PKCS#8; both become version 1.
fn from_ed25519(der: &[u8]) -> Result<PrivateKey, Refusal> {
    let document = Ed25519KeyPair::from_pkcs8(der)
        .ok()
        .and_then(|pair| pair.to_pkcs8v1().ok())
        .ok_or("holds an Ed25519 key that is damaged")?;
    Ok(PrivateKey { algorithm: SigningAlgorithm::EdDsa, pkcs8: Zeroizing::new(document.as_ref().to_vec()) })
}
