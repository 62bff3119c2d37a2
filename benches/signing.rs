//! What a signed token costs beside its bare signature: `cargo bench --bench signing`.
//!
//! *bare* is aws-lc-rs with a prepared key over the same octets; *token* is `Keyring::sign`, from claims to text;
//! *verify* is the verifier, from text to claims.

#![expect(clippy::unwrap_used, reason = "a benchmark may stop at the first mistake")]

use std::hint::black_box;
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use criterion::{Criterion, criterion_group, criterion_main};
use serde::Serialize;
use tokenhouse::clock::{Clock, Random};
use tokenhouse::config;
use tokenhouse::keys::{Keyring, make_master_key};
use tokenhouse::model::{Secret, SigningAlgorithm};
use tokenhouse::protocol::TokenType;
use tokenhouse::store::Database;
use tokenhouse::store::sql::DatabaseSettings;
use tokenhouse_verifier::Verifier;

/// The claims of an access token (RFC 9068 section 2.2).
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    client_id: &'a str,
    iat: i64,
    exp: i64,
    jti: &'a str,
    scope: &'a str,
}

const CLAIMS: Claims<'static> = Claims {
    iss: "https://idp.example.com",
    sub: "0196a5d2-6c1f-7d3a-9d57-0e4c1f8b2a63",
    aud: "https://api.example.com",
    client_id: "web",
    iat: 1_795_300_000,
    exp: 1_795_300_300,
    jti: "0196a5d2-6c1f-7d3a-9d57-1b2c3d4e5f60",
    scope: "openid profile email",
};

fn signing(bench: &mut Criterion) {
    let keyring = keyring();
    let verifier = Verifier::new(CLAIMS.iss, [CLAIMS.aud]);
    let keys = keyring.verifying_keys();
    for algorithm in SigningAlgorithm::ALL {
        let token = keyring.sign(algorithm, TokenType::Access, &CLAIMS).unwrap();
        let signed = token.rsplit_once('.').unwrap().0.as_bytes().to_vec();
        let bare = bare(algorithm);
        let mut group = bench.benchmark_group(algorithm.as_str());
        group.warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(4));
        group.bench_function("bare", |bench| bench.iter(|| bare(black_box(&signed))));
        group.bench_function("token", |bench| {
            bench.iter(|| keyring.sign(algorithm, TokenType::Access, black_box(&CLAIMS)).unwrap());
        });
        group.bench_function("verify", |bench| {
            bench.iter(|| verifier.verify(black_box(&token), &keys, CLAIMS.iat).unwrap());
        });
        group.finish();
    }
    let mut group = bench.benchmark_group("refresh token");
    group.bench_function("sign", |bench| bench.iter(|| keyring.sign_refresh(black_box(&CLAIMS)).unwrap()));
    let token = keyring.sign_refresh(&CLAIMS).unwrap();
    group.bench_function("open", |bench| {
        bench.iter(|| keyring.open_refresh::<serde_json::Value>(black_box(&token)).unwrap());
    });
}

type Bare = Box<dyn Fn(&[u8]) -> usize>;

/// A signature and nothing else.
fn bare(algorithm: SigningAlgorithm) -> Bare {
    let random = SystemRandom::new();
    let rsa = |encoding: &'static dyn RsaEncoding| -> Bare {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        Box::new(move |message| {
            let mut signature = [0; 256];
            pair.sign(encoding, &SystemRandom::new(), message, &mut signature).unwrap();
            black_box(signature).len()
        })
    };
    match algorithm {
        SigningAlgorithm::Rs256 => rsa(&RSA_PKCS1_SHA256),
        SigningAlgorithm::Ps256 => rsa(&RSA_PSS_SHA256),
        SigningAlgorithm::Es256 => {
            let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
            Box::new(move |message| black_box(pair.sign(&random, message).unwrap()).as_ref().len())
        }
        SigningAlgorithm::Es384 => {
            let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
            Box::new(move |message| black_box(pair.sign(&random, message).unwrap()).as_ref().len())
        }
        SigningAlgorithm::EdDsa => {
            let pair = Ed25519KeyPair::generate().unwrap();
            Box::new(move |message| black_box(pair.sign(message)).as_ref().len())
        }
    }
}

fn keyring() -> Keyring {
    let folder = tempfile::tempdir().unwrap();
    let random = Random::default();
    let settings = config::Keys {
        folder: folder.path().join("keys"),
        master_key: Some(Secret::new(make_master_key(&random))),
        additional_algorithms: SigningAlgorithm::ALL.to_vec(),
        ..config::Keys::default()
    };
    let database = DatabaseSettings {
        url: format!("sqlite://{}", folder.path().join("database.db").display()),
        max_connections: 1,
        acquire_timeout: Duration::from_secs(5),
        statement_timeout: Duration::from_secs(5),
    };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let database = Database::connect(&database).await.unwrap();
        database.migrate().await.unwrap();
        Keyring::open(&settings, Duration::from_mins(5), database, Clock::system(), random).await.unwrap()
    })
}

criterion_group!(benches, signing);
criterion_main!(benches);
