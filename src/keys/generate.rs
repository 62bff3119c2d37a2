//! Generates private keys.

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
};
use rsa::RsaPrivateKey;
use rsa::pkcs8::EncodePrivateKey as _;
use rsa::rand_core::{CryptoRng, Error, RngCore};
use zeroize::Zeroizing;

use super::prepared::PrivateKey;
use crate::clock::Random;
use crate::error::Internal;
use crate::model::SigningAlgorithm;

/// Bits of a new RSA key: 112 bits of security, enough until 2030 (NIST SP 800-57 part 1 section 5.6).
const RSA_BITS: usize = 2048;

/// Generates a private key for each of `algorithms`, concurrently and off the threads that serve requests: an RSA key
/// takes a quarter of a second, now and then a whole one.
pub(super) async fn generate(algorithms: &[SigningAlgorithm], random: &Random) -> Result<Vec<PrivateKey>, Internal> {
    let started: Vec<_> = algorithms
        .iter()
        .map(|&algorithm| {
            let random = random.clone();
            tokio::task::spawn_blocking(move || one(algorithm, &random))
        })
        .collect();
    let mut keys = Vec::with_capacity(started.len());
    for task in started {
        keys.push(task.await.map_err(|error| Internal::new("the making of a key was broken off", error))??);
    }
    Ok(keys)
}

fn one(algorithm: SigningAlgorithm, random: &Random) -> Result<PrivateKey, Internal> {
    let failed = |error: Unspecified| Internal::new("a key was not made", error);
    let pkcs8 = match algorithm {
        SigningAlgorithm::Rs256 | SigningAlgorithm::Ps256 => rsa(random)?,
        SigningAlgorithm::Es256 => {
            elliptic(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)).map_err(failed)?
        }
        SigningAlgorithm::Es384 => {
            elliptic(EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING)).map_err(failed)?
        }
        SigningAlgorithm::EdDsa => {
            // Version 1 of PKCS#8, because many readers do not know version 2, which is the alternative (RFC 8410
            // section 7).
            let document = Ed25519KeyPair::generate().and_then(|pair| pair.to_pkcs8v1()).map_err(failed)?;
            Zeroizing::new(document.as_ref().to_vec())
        }
    };
    Ok(PrivateKey { algorithm, pkcs8 })
}

fn elliptic(pair: Result<EcdsaKeyPair, Unspecified>) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
    Ok(Zeroizing::new(pair?.to_pkcs8v1()?.as_ref().to_vec()))
}

fn rsa(random: &Random) -> Result<Zeroizing<Vec<u8>>, Internal> {
    let key = RsaPrivateKey::new(&mut Source(random), RSA_BITS)
        .map_err(|error| Internal::new("an RSA key was not made", error))?;
    let document = key.to_pkcs8_der().map_err(|error| Internal::new("an RSA key was not written", error))?;
    Ok(document.to_bytes())
}

/// The server's randomness in the form that the crate `rsa` requires.
pub(super) struct Source<'a>(pub(super) &'a Random);

impl CryptoRng for Source<'_> {}

impl RngCore for Source<'_> {
    fn next_u32(&mut self) -> u32 {
        u32::from_ne_bytes(self.0.bytes())
    }

    fn next_u64(&mut self) -> u64 {
        u64::from_ne_bytes(self.0.bytes())
    }

    fn fill_bytes(&mut self, target: &mut [u8]) {
        for part in target.chunks_mut(32) {
            part.copy_from_slice(&Zeroizing::new(self.0.bytes::<32>())[..part.len()]);
        }
    }

    fn try_fill_bytes(&mut self, target: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(target);
        Ok(())
    }
}
