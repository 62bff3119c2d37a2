use aws_lc_rs::encoding::{AsBigEndian, AsDer as _, Curve25519SeedBin, EcPrivateKeyRfc5915Der};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair,
    Ed25519KeyPair,
};
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use rsa::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, EncodePublicKey as _};
use rsa::{BigUint, RsaPrivateKey};

use super::super::import::parse;
use super::{new_key, pem, prepared};
use crate::model::SigningAlgorithm::{self, EdDsa, Es256, Es384, Ps256, Rs256};

fn kid(text: &str) -> String {
    prepared(&parse(text, Rs256).unwrap()).kid().to_owned()
}

fn refusal(text: &str) -> String {
    parse(text, Rs256).err().unwrap()
}

#[tokio::test]
async fn every_kind_of_key_comes_back_from_pkcs8_as_it_was() {
    for algorithm in SigningAlgorithm::ALL {
        let key = new_key(algorithm).await;
        let rsa = if algorithm == Ps256 { Ps256 } else { Rs256 };
        let read = parse(&pem("PRIVATE KEY", &key.pkcs8), rsa).unwrap();
        assert_eq!((read.algorithm, prepared(&read).kid()), (algorithm, prepared(&key).kid()));
    }
}

#[tokio::test]
async fn an_rsa_key_is_the_same_key_in_pkcs1() {
    let pkcs8 = new_key(Rs256).await.pkcs8;
    let pkcs1 = RsaPrivateKey::from_pkcs8_der(&pkcs8).unwrap().to_pkcs1_der().unwrap();
    assert_eq!(kid(&pem("RSA PRIVATE KEY", pkcs1.as_bytes())), kid(&pem("PRIVATE KEY", &pkcs8)));
}

#[test]
fn an_ec_key_is_the_same_key_in_sec1_also_after_the_name_of_its_curve() {
    for (algorithm, curve) in [(Es256, &ECDSA_P256_SHA256_FIXED_SIGNING), (Es384, &ECDSA_P384_SHA384_FIXED_SIGNING)] {
        let pair = EcdsaKeyPair::generate(curve).unwrap();
        let sec1: EcPrivateKeyRfc5915Der<'_> = pair.private_key().as_der().unwrap();
        let sec1 = pem("EC PRIVATE KEY", sec1.as_ref());
        assert_eq!(parse(&sec1, Rs256).unwrap().algorithm, algorithm);
        assert_eq!(kid(&sec1), kid(&pem("PRIVATE KEY", pair.to_pkcs8v1().unwrap().as_ref())));
        assert_eq!(kid(&sec1), kid(&format!("{}{sec1}", pem("EC PARAMETERS", &[6, 0]))));
    }
}

#[test]
fn an_ed25519_key_is_the_same_key_in_both_versions_of_pkcs8() {
    let pair = Ed25519KeyPair::generate().unwrap();
    let (v1, v2) = (pair.to_pkcs8v1().unwrap(), pair.to_pkcs8().unwrap());
    assert_ne!(v1.as_ref(), v2.as_ref());
    assert_eq!(kid(&pem("PRIVATE KEY", v1.as_ref())), kid(&pem("PRIVATE KEY", v2.as_ref())));
    assert_eq!(parse(&pem("PRIVATE KEY", v2.as_ref()), Rs256).unwrap().pkcs8.as_slice(), v1.as_ref());
    let seed: Curve25519SeedBin<'_> = pair.seed().unwrap().as_be_bytes().unwrap();
    assert!(v1.as_ref().ends_with(seed.as_ref()));
}

#[test]
fn an_rsa_key_of_fewer_than_2048_bits_is_refused() {
    let key = rsa_key(1024, 65_537);
    let bits = "holds an RSA key of 1024 bits: at least 2048 are needed";
    assert!(refusal(&pem("PRIVATE KEY", key.to_pkcs8_der().unwrap().as_bytes())).contains(bits));
    assert!(refusal(&pem("RSA PRIVATE KEY", key.to_pkcs1_der().unwrap().as_bytes())).contains(bits));
}

#[test]
fn an_rsa_key_with_a_small_exponent_is_refused() {
    let key = rsa_key(2048, 3);
    let message = refusal(&pem("PRIVATE KEY", key.to_pkcs8_der().unwrap().as_bytes()));
    assert!(message.contains("the public exponent 3: 65537 is the usual one"), "{message}");
}

fn rsa_key(bits: usize, exponent: u32) -> RsaPrivateKey {
    RsaPrivateKey::new_with_exp(&mut rsa::rand_core::OsRng, bits, &BigUint::from(exponent)).unwrap()
}

#[tokio::test]
async fn what_is_not_one_private_key_of_a_supported_kind_is_refused_with_the_reason() {
    let rsa = new_key(Rs256).await.pkcs8;
    let public = RsaPrivateKey::from_pkcs8_der(&rsa).unwrap().to_public_key().to_public_key_der().unwrap();
    let ed = pem("PRIVATE KEY", &new_key(EdDsa).await.pkcs8);
    let good = pem("PRIVATE KEY", &rsa);
    let p521 = EcdsaKeyPair::generate(&ECDSA_P521_SHA512_FIXED_SIGNING).unwrap().to_pkcs8v1().unwrap();
    let mut flipped = rsa.to_vec();
    flipped[200] ^= 1;
    let mut ed448 = new_key(EdDsa).await.pkcs8.to_vec();
    ed448[11] = 113;
    let mut pss = rsa.to_vec();
    pss[19] = 10;
    let legacy = good.replace("PRIVATE KEY-----\r\n", "PRIVATE KEY-----\r\nProc-Type: 4,ENCRYPTED\r\n\r\n");
    for (text, reason) in [
        ("", "holds no PEM block"),
        ("hello", "holds no PEM block"),
        (&good[..good.len() / 2], "only half of one"),
        (&pem("PRIVATE KEY", &rsa[..rsa.len() / 2]), "is damaged"),
        (&pem("PRIVATE KEY", &flipped), "is damaged"),
        (&pem("RSA PRIVATE KEY", &rsa), "is damaged"),
        (&pem("EC PRIVATE KEY", &rsa), "is damaged"),
        (&pem("PUBLIC KEY", public.as_bytes()), "holds a \"PUBLIC KEY\" where a private key is expected"),
        (&pem("CERTIFICATE", &[1, 2, 3]), "holds a \"CERTIFICATE\" where a private key is expected"),
        (&format!("{good}{ed}"), "more than one PEM block"),
        (&pem("ENCRYPTED PRIVATE KEY", &[1, 2, 3]), "is encrypted: decrypt it first, with `openssl pkcs8"),
        (
            &legacy.replace("BEGIN PRIVATE", "BEGIN RSA PRIVATE").replace("END PRIVATE", "END RSA PRIVATE"),
            "is encrypted",
        ),
        (&pem("PRIVATE KEY", p521.as_ref()), "another curve than P-256 and P-384"),
        (&pem("PRIVATE KEY", &ed448), "unsupported kind (1.3.101.113)"),
        (&pem("PRIVATE KEY", &pss), "for PSS only"),
    ] {
        let message = refusal(text);
        assert!(message.contains(reason), "{reason:?}: {message}");
    }
}
