//! argon2 (RFC 9106): the server's own hashes, and imported ones.

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Params, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;

use super::memory::Memory;
use crate::config;
use crate::error::Internal;
use crate::model::Secret;

const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

/// A shorter hash does not prove a password.
const FEWEST_HASH_BYTES: usize = 16;

/// The server's own parameters: argon2id, version 0x13, with memory, iterations and parallelism of the settings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Argon {
    memory_kib: u32,
    iterations: u32,
    parallelism: u32,
}

impl Argon {
    pub(super) const fn new(settings: &config::Passwords) -> Self {
        let config::Passwords { memory_kib, iterations, parallelism, .. } = *settings;
        Self { memory_kib, iterations, parallelism }
    }

    pub(super) fn hash(
        self,
        password: &Secret,
        salt: [u8; SALT_BYTES],
        memory: &mut Memory,
    ) -> Result<String, Internal> {
        let wrong = |error: argon2::password_hash::phc::Error| Internal::new("writing an argon2 hash", error);
        let argon = self.prepared()?;
        let params = ParamsString::try_from(argon.params())
            .map_err(|error| Internal::new("writing the parameters of argon2", error))?;
        let mut hash = [0; HASH_BYTES];
        memory
            .with(argon.params(), |blocks| {
                argon.hash_password_into_with_memory(password.expose().as_bytes(), &salt, &mut hash, blocks)
            })
            .map_err(|error| Internal::new("hashing with argon2", error))?;
        let phc = PasswordHash {
            algorithm: ARGON2ID_IDENT,
            version: Some(Version::V0x13.into()),
            params,
            salt: Some(Salt::new(&salt).map_err(wrong)?),
            hash: Some(Output::new(&hash).map_err(wrong)?),
        };
        Ok(phc.to_string())
    }

    /// Does the work of a comparison that cannot succeed.
    pub(super) fn hash_dummy(self, password: &Secret, memory: &mut Memory) {
        let nobody = self.prepared().ok().and_then(|argon| {
            let (salt, output) = (Salt::new(&[0; SALT_BYTES]).ok()?, Output::new(&[0; HASH_BYTES]).ok()?);
            Some(HashResult { argon, salt, output, was_made_as: None })
        });
        if let Some(nobody) = nobody {
            std::hint::black_box(nobody.is_of(password, memory));
        }
    }

    /// Whether `hashed` has exactly these parameters.
    pub(super) fn made(self, hashed: &HashResult) -> bool {
        hashed.was_made_as.is_some_and(|(memory_kib, iterations, parallelism)| {
            (memory_kib, iterations, parallelism) == (self.memory_kib, self.iterations, self.parallelism)
        })
    }

    fn prepared(self) -> Result<Argon2<'static>, Internal> {
        let params = Params::new(self.memory_kib, self.iterations, self.parallelism, Some(HASH_BYTES))
            .map_err(|error| Internal::new("the settings of argon2", error))?;
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }
}

pub(super) struct HashResult {
    argon: Argon2<'static>,
    salt: Salt,
    output: Output,
    /// Memory, iterations and parallelism, if algorithm, version and length are the server's own.
    was_made_as: Option<(u32, u32, u32)>,
}

impl HashResult {
    /// Reads a PHC string, also in Django's form (`argon2$argon2id$…`). It refuses a hash that would take more memory
    /// or time than the settings may demand, so that an imported hash cannot exhaust the server.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix("argon2").filter(|rest| rest.starts_with("$argon2")).unwrap_or(text);
        let phc = PasswordHash::new(text).ok()?;
        let algorithm = Algorithm::try_from(phc.algorithm.as_str()).ok()?;
        let version = phc.version.map_or(Ok(Version::V0x10), Version::try_from).ok()?;
        let (salt, output) = (phc.salt?, phc.hash?);
        let parameter = |name: &str| phc.params.get_decimal(name);
        let (memory_kib, iterations, parallelism) = (parameter("m")?, parameter("t")?, parameter("p")?);
        let is_bounded = memory_kib <= config::Passwords::MOST_MEMORY_KIB
            && iterations <= config::Passwords::MOST_ITERATIONS
            && parallelism <= config::Passwords::MOST_PARALLELISM;
        if !is_bounded || phc.params.iter().count() != 3 || output.len() < FEWEST_HASH_BYTES {
            return None;
        }
        let params = Params::new(memory_kib, iterations, parallelism, Some(output.len())).ok()?;
        let is_our_way = algorithm == Algorithm::Argon2id && version == Version::V0x13 && output.len() == HASH_BYTES;
        let was_made_as = is_our_way.then_some((memory_kib, iterations, parallelism));
        Some(Self { argon: Argon2::new(algorithm, version, params), salt, output, was_made_as })
    }

    pub(super) fn is_of(&self, password: &Secret, memory: &mut Memory) -> bool {
        let mut hash = vec![0; self.output.len()];
        let hashed = memory.with(self.argon.params(), |blocks| {
            self.argon.hash_password_into_with_memory(
                password.expose().as_bytes(),
                self.salt.as_ref(),
                &mut hash,
                blocks,
            )
        });
        hashed.is_ok() && verify_slices_are_equal(&hash, self.output.as_bytes()).is_ok()
    }
}
