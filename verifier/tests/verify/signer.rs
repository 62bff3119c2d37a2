//! An issuer for the tests: it signs whatever it is told to.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use serde_json::{Value, json};
use tokenhouse_verifier::{AccessToken, KeySet, Refusal, Verifier};

pub(crate) use crate::token::{AUDIENCE, ISSUER, NOW, claims, encode, header, with, without};

/// One key of each kind, under the kids `es256`, `es384`, `ed`, `rs256` and `ps256`.
pub(crate) static SIGNER: LazyLock<Signer> = LazyLock::new(Signer::build);

pub(crate) struct Signer {
    pub(crate) es256: EcdsaKeyPair,
    es384: EcdsaKeyPair,
    ed: Ed25519KeyPair,
    pub(crate) rsa: RsaKeyPair,
    pub(crate) jwks: Value,
    pub(crate) keys: KeySet,
}

impl Signer {
    fn build() -> Self {
        let es256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let es384 = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
        let ed = Ed25519KeyPair::generate().unwrap();
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let jwks = json!({"keys": [
            ec_jwk("es256", "P-256", &es256),
            ec_jwk("es384", "P-384", &es384),
            {"kid": "ed", "kty": "OKP", "crv": "Ed25519", "x": encode(ed.public_key())},
            rsa_jwk("rs256", "RS256", &rsa),
            rsa_jwk("ps256", "PS256", &rsa),
        ]});
        let keys = KeySet::from_jwks(&jwks.to_string()).unwrap();
        Self { es256, es384, ed, rsa, jwks, keys }
    }

    /// Signs with the key and the algorithm that `kid` stands for, whatever the header says.
    pub(crate) fn sign(&self, kid: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match kid {
            "es256" => self.es256.sign(&random, message).unwrap().as_ref().to_vec(),
            "es384" => self.es384.sign(&random, message).unwrap().as_ref().to_vec(),
            "ed" => self.ed.sign(message).as_ref().to_vec(),
            "rs256" => self.sign_rsa(&RSA_PKCS1_SHA256, message),
            "ps256" => self.sign_rsa(&RSA_PSS_SHA256, message),
            _ => panic!("the signer has no key {kid}"),
        }
    }

    fn sign_rsa(&self, encoding: &'static dyn RsaEncoding, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.rsa.public_modulus_len()];
        self.rsa.sign(encoding, &SystemRandom::new(), message, &mut signature).unwrap();
        signature
    }

    /// A token of these two texts, signed with the ES256 key.
    pub(crate) fn token(&self, header: &str, payload: &str) -> String {
        let message = format!("{}.{}", encode(header), encode(payload));
        format!("{message}.{}", encode(self.sign("es256", message.as_bytes())))
    }
}

pub(crate) fn ec_jwk(kid: &str, curve: &str, key: &EcdsaKeyPair) -> Value {
    let (x, y) = key.public_key().as_ref()[1..].split_at(key.public_key().as_ref().len() / 2);
    json!({"kid": kid, "kty": "EC", "crv": curve, "use": "sig", "x": encode(x), "y": encode(y)})
}

pub(crate) fn rsa_jwk(kid: &str, algorithm: &str, key: &RsaKeyPair) -> Value {
    let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(key.public_key());
    json!({"kid": kid, "kty": "RSA", "alg": algorithm, "n": encode(n), "e": encode(e)})
}

/// What the verifier of the API says to a token, now.
pub(crate) fn verify(token: &str) -> Result<AccessToken, Refusal> {
    Verifier::new(ISSUER, [AUDIENCE]).verify(token, &SIGNER.keys, NOW)
}

/// What it says to a well-signed token with this header.
pub(crate) fn verify_header(header: &Value) -> Result<AccessToken, Refusal> {
    verify(&SIGNER.token(&header.to_string(), &claims().to_string()))
}

/// What it says to a well-signed token with these claims.
pub(crate) fn verify_claims(claims: &Value) -> Result<AccessToken, Refusal> {
    verify(&SIGNER.token(&header().to_string(), &claims.to_string()))
}
