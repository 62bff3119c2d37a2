//! What a verified token costs beside its bare signature: `cargo bench -p tokenhouse-verifier`.
//!
//! *bare* is aws-lc-rs with a parsed key over the same octets, the signature already decoded: nothing can be less.
//! *bare, unparsed key* is the same with the key parsed at each check, as code written without much thought does it.
//! *verify* is the verifier, from text to claims.

#![expect(clippy::unwrap_used, reason = "a benchmark may stop at the first mistake")]

use std::hint::black_box;
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};
use tokenhouse_verifier::{KeySet, Verifier};

const ISSUER: &str = "https://id.example.com";
const AUDIENCE: &str = "https://api.example.com";
const NOW: i64 = 1_795_300_000;

fn verify(bench: &mut Criterion) {
    for signer in [es256(), rs256(), ed_dsa()] {
        let message = signer.message();
        let signature = (signer.sign)(message.as_bytes());
        let token = format!("{message}.{}", encode(&signature));
        let keys = KeySet::from_jwks(&json!({"keys": [signer.jwk]}).to_string()).unwrap();
        let verifier = Verifier::new(ISSUER, [AUDIENCE]);

        let mut group = bench.benchmark_group(signer.name);
        group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3)).sample_size(50);
        group.bench_function("bare", |bench| {
            bench.iter(|| signer.parsed.verify_sig(black_box(message.as_bytes()), &signature).unwrap());
        });
        group.bench_function("verify", |bench| {
            bench.iter(|| verifier.verify(black_box(&token), &keys, NOW).unwrap());
        });
        group.bench_function("bare, unparsed key", |bench| {
            bench.iter(|| signer.unparsed.verify(black_box(message.as_bytes()), &signature).unwrap());
        });
        group.finish();
    }
}

/// A key in the forms that are compared.
struct Signer {
    name: &'static str,
    jwk: Value,
    parsed: ParsedPublicKey,
    unparsed: UnparsedPublicKey<Vec<u8>>,
    sign: Sign,
}

type Sign = Box<dyn Fn(&[u8]) -> Vec<u8>>;

impl Signer {
    /// What is signed of an access token as Tokenhouse writes it.
    fn message(&self) -> String {
        let header = json!({"typ": "at+jwt", "alg": self.name, "kid": self.jwk["kid"]});
        let claims = json!({
            "iss": ISSUER, "sub": "0196a5d2-6c1f-7d3a-9d57-0e4c1f8b2a63", "aud": AUDIENCE, "client_id": "web",
            "iat": NOW, "exp": NOW + 300, "jti": "0196a5d2-6c1f-7d3a-9d57-1b2c3d4e5f60",
            "scope": "openid profile email", "sid": "0196a5d2-6c1f-7d3a-9d57-70f1e2d3c4b5",
            "status": {"status_list": {"idx": 4711, "uri": "https://id.example.com/status/3"}},
        });
        format!("{}.{}", encode(header.to_string()), encode(claims.to_string()))
    }
}

fn es256() -> Signer {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let point = pair.public_key().as_ref().to_vec();
    Signer {
        name: "ES256",
        jwk: jwk("EC", &json!({"crv": "P-256", "x": encode(&point[1..33]), "y": encode(&point[33..])})),
        parsed: ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point).unwrap(),
        unparsed: UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point),
        sign: Box::new(move |message| pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()),
    }
}

fn rs256() -> Signer {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(pair.public_key());
    let der = pair.public_key().as_ref().to_vec();
    Signer {
        name: "RS256",
        jwk: jwk("RSA", &json!({"n": encode(n), "e": encode(e)})),
        parsed: ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &der).unwrap(),
        unparsed: UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der),
        sign: Box::new(move |message| {
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
            signature
        }),
    }
}

fn ed_dsa() -> Signer {
    let pair = Ed25519KeyPair::generate().unwrap();
    let octets = pair.public_key().as_ref().to_vec();
    Signer {
        name: "EdDSA",
        jwk: jwk("OKP", &json!({"crv": "Ed25519", "x": encode(&octets)})),
        parsed: ParsedPublicKey::new(&ED25519, &octets).unwrap(),
        unparsed: UnparsedPublicKey::new(&ED25519, octets),
        sign: Box::new(move |message| pair.sign(message).as_ref().to_vec()),
    }
}

fn jwk(kind: &str, members: &Value) -> Value {
    let mut jwk = members.clone();
    jwk["kty"] = kind.into();
    // As long as the thumbprints by which Tokenhouse names its keys.
    jwk["kid"] = encode([7; 32]).into();
    jwk
}

fn encode(octets: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(octets)
}

criterion_group!(benches, verify);
criterion_main!(benches);
