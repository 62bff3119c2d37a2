//! The test keys of `vectors/test-keys/`, and what they sign.

use std::cell::RefCell;
use std::collections::HashMap;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED, ECDSA_P384_SHA384_FIXED_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::token::{claims, encode, header};

/// Signs with the test keys. ECDSA and RSA-PSS are random, so a text is signed once, and a signature that the file has
/// is taken from there.
pub(crate) struct Signer {
    known: RefCell<HashMap<String, Vec<Vec<u8>>>>,
}

impl Signer {
    /// With the signatures of all tokens in this text.
    pub(crate) fn new(text: &str) -> Self {
        let mut known: HashMap<String, Vec<Vec<u8>>> = HashMap::new();
        for token in text.split('"') {
            let Some((message, signature)) = token.rsplit_once('.') else { continue };
            if let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) {
                known.entry(message.to_owned()).or_default().push(signature);
            }
        }
        Self { known: RefCell::new(known) }
    }

    /// The signature of this key over the message.
    pub(crate) fn signature(&self, kid: &str, message: &str) -> Vec<u8> {
        let random = SystemRandom::new();
        let octets = message.as_bytes();
        match kid {
            "ed25519" => ed25519().sign(octets).as_ref().to_vec(),
            "rs256" | "ps256" => {
                let pair = rsa(kid);
                let (scheme, encoding): (_, &dyn RsaEncoding) = if kid == "ps256" {
                    (&RSA_PSS_2048_8192_SHA256, &RSA_PSS_SHA256)
                } else {
                    (&RSA_PKCS1_2048_8192_SHA256, &RSA_PKCS1_SHA256)
                };
                self.once(UnparsedPublicKey::new(scheme, pair.public_key().as_ref()), message, || {
                    let mut signature = vec![0; 256];
                    pair.sign(encoding, &random, octets, &mut signature).unwrap();
                    signature
                })
            }
            _ => {
                let pair = ecdsa(kid);
                let scheme = if kid == "es384" { &ECDSA_P384_SHA384_FIXED } else { &ECDSA_P256_SHA256_FIXED };
                let key = UnparsedPublicKey::new(scheme, pair.public_key().as_ref());
                self.once(key, message, || pair.sign(&random, octets).unwrap().as_ref().to_vec())
            }
        }
    }

    /// The known signature of the key over the message, or a new one.
    fn once(&self, key: UnparsedPublicKey<&[u8]>, message: &str, sign: impl FnOnce() -> Vec<u8>) -> Vec<u8> {
        let mut known = self.known.borrow_mut();
        let signatures = known.entry(message.to_owned()).or_default();
        let found = signatures.iter().find(|signature| key.verify(message.as_bytes(), signature).is_ok()).cloned();
        found.unwrap_or_else(|| {
            let signature = sign();
            signatures.push(signature.clone());
            signature
        })
    }

    /// A token of these two texts.
    pub(crate) fn token(&self, kid: &str, header: &str, payload: &str) -> String {
        let message = format!("{}.{}", encode(header), encode(payload));
        let signature = self.signature(kid, &message);
        format!("{message}.{}", encode(signature))
    }

    /// A token with the header of a good one.
    pub(crate) fn with_claims(&self, claims: &Value) -> String {
        self.token("es256", &header().to_string(), &claims.to_string())
    }

    /// A token with the claims of a good one.
    pub(crate) fn with_header(&self, header: &Value) -> String {
        self.token("es256", &header.to_string(), &claims().to_string())
    }
}

/// The public key as the issuer publishes it.
pub(crate) fn jwk(kid: &str) -> Value {
    let mut jwk = match kid {
        "ed25519" => json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": encode(ed25519().public_key())}),
        "rs256" | "ps256" => {
            let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(rsa(kid).public_key());
            json!({"kty": "RSA", "alg": kid.to_uppercase(), "n": encode(n), "e": encode(e)})
        }
        _ => {
            let pair = ecdsa(kid);
            let (x, y) = pair.public_key().as_ref()[1..].split_at(pair.public_key().as_ref().len() / 2);
            let (crv, alg) = if kid == "es384" { ("P-384", "ES384") } else { ("P-256", "ES256") };
            json!({"kty": "EC", "crv": crv, "alg": alg, "x": encode(x), "y": encode(y)})
        }
    };
    jwk["kid"] = kid.into();
    jwk["use"] = "sig".into();
    jwk
}

/// The public RSA key as people have it in a file.
pub(crate) fn rsa_pem() -> String {
    let der = STANDARD.encode(rsa("rs256").public_key().as_der().unwrap().as_ref());
    let lines: Vec<&str> = der.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
}

fn ecdsa(kid: &str) -> EcdsaKeyPair {
    let scheme: &'static EcdsaSigningAlgorithm =
        if kid == "es384" { &ECDSA_P384_SHA384_FIXED_SIGNING } else { &ECDSA_P256_SHA256_FIXED_SIGNING };
    EcdsaKeyPair::from_pkcs8(scheme, &pkcs8(kid)).unwrap()
}

fn ed25519() -> Ed25519KeyPair {
    Ed25519KeyPair::from_pkcs8_maybe_unchecked(&pkcs8("ed25519")).unwrap()
}

fn rsa(kid: &str) -> RsaKeyPair {
    RsaKeyPair::from_pkcs8(&pkcs8(kid)).unwrap()
}

fn pkcs8(kid: &str) -> Vec<u8> {
    let path = format!("{}/vectors/test-keys/{kid}.pem", env!("CARGO_MANIFEST_DIR"));
    let pem = std::fs::read_to_string(path).unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(body).unwrap()
}
