//! The indispensable parts of a request, each measured alone, in microseconds of processor time.

use std::hint::black_box;

use anyhow::{Result, anyhow};
use argon2::{Argon2, Block, Params, Version};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, ParsedPublicKey, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use clap::ValueEnum;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use crate::redis_parts;
use crate::times::{micros_each, now, thread_time};

/// A message as long as the signed text of an access token.
const MESSAGE: [u8; 420] = [b'a'; 420];

/// An indispensable part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    Es256,
    Rs256,
    Es256Check,
    /// Making a refresh token: from claims to text, JSON and base64 included.
    RefreshToken,
    /// Reading a refresh token: from text to claims.
    RefreshTokenCheck,
    /// Argon2 with OWASP's parameters, which are the server's defaults.
    Argon2,
    /// The rotation script, the share of the driver.
    Script,
    /// The rotation script, the share of Redis, which has another core.
    ScriptInRedis,
}

impl Part {
    pub(crate) const ALL: &[Self] = &[
        Self::Es256,
        Self::Rs256,
        Self::Es256Check,
        Self::RefreshToken,
        Self::RefreshTokenCheck,
        Self::Argon2,
        Self::Script,
        Self::ScriptInRedis,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256 signature",
            Self::Rs256 => "RS256 signature",
            Self::Es256Check => "ES256 verification",
            Self::RefreshToken => "refresh token made",
            Self::RefreshTokenCheck => "refresh token read",
            Self::Argon2 => "argon2id",
            Self::Script => "rotation script, driver",
            Self::ScriptInRedis => "rotation script, Redis",
        }
    }

    /// Returns the microseconds of processor time for one execution, measured in this process for that many seconds.
    pub(crate) fn measure(self, seconds: f64, redis: &str) -> Result<f64> {
        let random = SystemRandom::new();
        let hs256 = Header::new(Algorithm::HS256);
        let (encoding, decoding) = (EncodingKey::from_secret(&[7; 32]), DecodingKey::from_secret(&[7; 32]));
        match self {
            Self::Es256 => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
                alone(seconds, || Ok(pair.sign(&random, black_box(&MESSAGE)).map(|_| ())?))
            }
            Self::Rs256 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048)?;
                let mut signature = [0; 256];
                alone(seconds, || Ok(pair.sign(&RSA_PKCS1_SHA256, &random, black_box(&MESSAGE), &mut signature)?))
            }
            Self::Es256Check => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
                let signature = pair.sign(&random, &MESSAGE)?;
                let public = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref())?;
                alone(seconds, || Ok(public.verify_sig(black_box(&MESSAGE), signature.as_ref())?))
            }
            Self::RefreshToken => alone(seconds, || {
                black_box(jsonwebtoken::encode(&hs256, black_box(&claims()), &encoding)?);
                Ok(())
            }),
            Self::RefreshTokenCheck => {
                let token = jsonwebtoken::encode(&hs256, &claims(), &encoding)?;
                let rules = Validation::new(Algorithm::HS256);
                alone(seconds, || {
                    black_box(jsonwebtoken::decode::<Claims>(black_box(&token), &decoding, &rules)?);
                    Ok(())
                })
            }
            Self::Argon2 => argon2(seconds),
            Self::Script => Ok(redis_parts::measure(redis, seconds)?.client),
            Self::ScriptInRedis => Ok(redis_parts::measure(redis, seconds)?.server),
        }
    }
}

/// The claims of a refresh token.
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    client_id: String,
    jti: String,
    iat: i64,
    exp: i64,
    sid: String,
    #[serde(rename = "gen")]
    number: u64,
    branch: u32,
}

fn claims() -> Claims {
    Claims {
        iss: "http://127.0.0.1:8080".to_owned(),
        sub: "0196a5d2-6c1f-7d3a-9d57-0e4c1f8b2a63".to_owned(),
        client_id: "simplejwt".to_owned(),
        jti: "0196a5d2-6c1f-7d3a-9d57-1b2c3d4e5f60".to_owned(),
        iat: 1_795_300_000,
        exp: 32_503_680_000,
        sid: "0196a5d2-6c1f-7d3a-9d57-2a63f8b21f0e".to_owned(),
        number: 412,
        branch: 0,
    }
}

fn argon2(seconds: f64) -> Result<f64> {
    let params = Params::new(19 * 1024, 2, 1, None).map_err(|error| anyhow!("{error}"))?;
    let mut blocks = vec![Block::new(); params.block_count()];
    let argon = Argon2::new(argon2::Algorithm::Argon2id, Version::V0x13, params);
    alone(seconds, || {
        let mut hash = [0; 32];
        let hashed = argon.hash_password_into_with_memory(b"a fine long password", &[1; 16], &mut hash, &mut blocks);
        hashed.map_err(|error| anyhow!("{error}"))
    })
}

/// Returns the processor time of this thread for one `work`, in microseconds, measured over that many seconds.
fn alone(seconds: f64, mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    work()?;
    let (since, before) = (now(), thread_time()?);
    let mut count = 0_u32;
    while since.elapsed().as_secs_f64() < seconds {
        work()?;
        count += 1;
    }
    Ok(micros_each(thread_time()?.saturating_sub(before), count))
}
