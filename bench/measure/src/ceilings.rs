//! The parts that nobody can do without, each alone: in microseconds of processor time.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, ParsedPublicKey, RSA_PKCS1_SHA256,
    RsaKeyPair,
};

use crate::report::Report;
use crate::{Run, redis_parts};

/// As long as what an access token signs.
const MESSAGE: [u8; 420] = [b'a'; 420];

/// Microseconds of one core for each part.
pub(crate) struct Parts {
    pub(crate) es256: f64,
    pub(crate) rs256: f64,
    pub(crate) es256_check: f64,
    /// A refresh token is checked and another one signed.
    pub(crate) hs256_pair: f64,
    pub(crate) argon2: f64,
    /// The driver's side of the script that rotates.
    pub(crate) redis_client: f64,
}

/// Measures them all.
pub(crate) fn measure(run: &Run, report: &mut Report) -> Result<Parts> {
    let seconds = (run.seconds / 4.0).max(0.5);
    let random = SystemRandom::new();
    let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048)?;
    let signature = ec.sign(&random, &MESSAGE)?;
    let public = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, ec.public_key().as_ref())?;
    let hs = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
    let redis = redis_parts::measure(&run.redis, seconds)?;
    let parts = Parts {
        es256: alone(seconds, || {
            black_box(ec.sign(&random, black_box(&MESSAGE))?);
            Ok(())
        })?,
        rs256: alone(seconds, || {
            let mut signature = [0; 256];
            Ok(rsa.sign(&RSA_PKCS1_SHA256, &random, black_box(&MESSAGE), &mut signature)?)
        })?,
        es256_check: alone(seconds, || Ok(public.verify_sig(black_box(&MESSAGE), signature.as_ref())?))?,
        hs256_pair: alone(seconds, || {
            let tag = hmac::sign(&hs, black_box(&MESSAGE));
            Ok(hmac::verify(&hs, black_box(&MESSAGE), tag.as_ref())?)
        })?,
        argon2: argon2(seconds)?,
        redis_client: redis.client,
    };
    for (name, micros) in [
        ("ES256 signature", parts.es256),
        ("RS256 signature", parts.rs256),
        ("ES256 verification", parts.es256_check),
        ("HS256 check and signature", parts.hs256_pair),
        ("argon2id (the defaults)", parts.argon2),
        ("rotation script, driver", parts.redis_client),
        ("rotation script, Redis", redis.server),
    ] {
        report.part(name, micros);
    }
    Ok(parts)
}

fn argon2(seconds: f64) -> Result<f64> {
    // OWASP's parameters, which are the house's defaults.
    let params = Params::new(19 * 1024, 2, 1, None).map_err(|error| anyhow!("{error}"))?;
    let mut blocks = vec![Block::new(); params.block_count()];
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    alone(seconds, || {
        let mut hash = [0; 32];
        let hashed = argon.hash_password_into_with_memory(b"a fine long password", &[1; 16], &mut hash, &mut blocks);
        hashed.map_err(|error| anyhow!("{error}"))
    })
}

/// Microseconds of this thread for one `work`, over that many seconds.
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

/// Microseconds for one of `count`.
pub(crate) fn micros_each(time: Duration, count: u32) -> f64 {
    time.as_secs_f64() * 1e6 / f64::from(count.max(1))
}

/// Processor time of this thread so far.
pub(crate) fn thread_time() -> Result<Duration> {
    let text =
        std::fs::read_to_string("/proc/thread-self/schedstat").context("processor time is read on Linux only")?;
    let nanos = text.split(' ').next().and_then(|word| word.parse().ok()).context("nanoseconds")?;
    Ok(Duration::from_nanos(nanos))
}

/// The time on the wall, which only says when to stop.
#[expect(clippy::disallowed_methods, reason = "this is not the server: nothing here decides about a token")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
