mod files;
mod generate;
mod import;
mod schedule;
mod signing;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::generate::generate;
use super::prepared::{PreparedKey, PrivateKey};
use crate::clock::Random;
use crate::model::SigningAlgorithm;

async fn new_key(algorithm: SigningAlgorithm) -> PrivateKey {
    generate(&[algorithm], &Random::default()).await.unwrap().remove(0)
}

fn prepared(key: &PrivateKey) -> PreparedKey {
    PreparedKey::parse(key.algorithm, &key.pkcs8).unwrap()
}

fn pem(tag: &str, der: &[u8]) -> String {
    pem::encode(&pem::Pem::new(tag, der))
}

fn put(path: &Path, text: impl AsRef<[u8]>, mode: u32) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
