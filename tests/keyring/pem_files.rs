//! PEM files in the folder of keys.

use rsa::RsaPrivateKey;
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use rsa::pkcs8::{EncodePrivateKey as _, LineEnding};
use test_support::pem::p256;
use tokenhouse::audit::{Actor, AuditEvent};
use tokenhouse::keys::{KeySummary, Ripeness};
use tokenhouse::model::{KeyState, SigningAlgorithm};
use tokenhouse::protocol::ErrorCode;

use crate::test_keyring::{RIPE, TestKeyring, kid, kids, sign, the};

fn rsa_key(bits: usize) -> RsaPrivateKey {
    RsaPrivateKey::new(&mut rsa::rand_core::OsRng, bits).unwrap()
}

#[tokio::test]
async fn on_an_empty_keyring_an_imported_key_signs_at_once() {
    let server = TestKeyring::new().await;
    server.put("mine.pem", p256(), 0o600);

    let keyring = server.open().await;

    let keys = keyring.list().await.unwrap();
    assert_eq!(keys.len(), 4, "one of the four was not made: {keys:?}");
    let token = sign(&keyring, SigningAlgorithm::Es256);
    let other = TestKeyring::new().await;
    other.put("mine.pem", std::fs::read(server.path("mine.pem")).unwrap(), 0o400);
    assert_eq!(kid(&sign(&other.open().await, SigningAlgorithm::Es256)), kid(&token), "it is the key of the file");
}

#[tokio::test]
async fn later_an_imported_key_enters_as_next_and_signs_after_a_rotation() {
    let server = TestKeyring::new().await;
    let first = server.open().await;
    let signer = kid(&sign(&first, SigningAlgorithm::Es256));
    server.put("mine.pem", p256(), 0o600);

    let keyring = server.open().await;

    let before = keyring.list().await.unwrap();
    let newest = before.iter().rfind(|key| key.algorithm == SigningAlgorithm::Es256).unwrap();
    assert_eq!((before.len(), newest.state), (5, KeyState::Next));
    assert!(keyring.jwks().body.contains(&newest.kid));
    assert_eq!(kid(&sign(&keyring, SigningAlgorithm::Es256)), signer);
    server.clock.advance(RIPE);
    let signing = keyring.rotate(Ripeness::Required, Actor::CommandLine).await.unwrap();
    assert!(kids(&signing, KeyState::Active).contains(&newest.kid.as_str()), "{signing:?}");
    assert_eq!(kid(&sign(&keyring, SigningAlgorithm::Es256)), newest.kid);
}

#[tokio::test]
async fn the_same_key_in_two_files_or_at_two_starts_is_one_key() {
    let server = TestKeyring::new().await;
    let pem = p256();
    server.put("a.pem", &pem, 0o600);
    server.put("b.pem", pem.replace("\r\n", "\n"), 0o600);
    server.put(".hidden.pem", "no key", 0o644);
    server.put("README.md", "no key", 0o644);
    for _ in 0..2 {
        assert_eq!(server.open().await.list().await.unwrap().len(), 4);
    }
}

#[tokio::test]
async fn a_removed_key_is_never_imported_again() {
    let server = TestKeyring::new().await;
    let pem = p256();
    server.put("mine.pem", &pem, 0o600);
    let keyring = server.open().await;
    let kid = kid(&sign(&keyring, SigningAlgorithm::Es256));
    assert!(keyring.remove(&kid, Actor::CommandLine).await.unwrap());

    let again = server.open().await;

    assert!(!again.jwks().body.contains(&kid));
    let error = again.import(&pem, Actor::CommandLine).await.unwrap_err();
    assert_eq!(error.oauth_code(), Some(ErrorCode::InvalidRequest), "{error}");
    assert!(error.to_string().contains("removed"), "{error}");
    assert!(!again.jwks().body.contains(&kid));
}

#[tokio::test]
async fn a_key_can_be_imported_while_the_server_runs() {
    let server = TestKeyring::new().await;
    let keyring = server.open().await;
    let pem = p256();

    let entered = keyring.import(&pem, Actor::Admin("a".to_owned())).await.unwrap();
    let again: KeySummary = keyring.import(&pem, Actor::CommandLine).await.unwrap();

    assert_eq!((entered.state, entered.ripe_at), (KeyState::Next, Some(entered.published_at.plus(RIPE))));
    assert_eq!((&again.kid, again.published_at), (&entered.kid, entered.published_at));
    assert!(keyring.jwks().body.contains(&entered.kid));
    let published = (Actor::Admin("a".to_owned()), AuditEvent::KeyPublished { kid: entered.kid });
    assert!(server.audit().await.contains(&published));
    let error = keyring.import("nothing", Actor::CommandLine).await.unwrap_err();
    assert_eq!(error.oauth_code(), Some(ErrorCode::InvalidRequest), "{error}");
}

#[tokio::test]
async fn an_imported_rsa_key_signs_with_the_rsa_algorithm_that_is_configured() {
    let pem = rsa_key(2048).to_pkcs1_pem(LineEnding::LF).unwrap();
    for algorithm in [SigningAlgorithm::Rs256, SigningAlgorithm::Ps256] {
        let mut server = TestKeyring::new().await;
        server.settings.id_token_algorithm = algorithm;
        server.put("mine.pem", &*pem, 0o600);
        let keyring = server.open().await;
        assert_eq!(kid(&sign(&keyring, algorithm)), the(&keyring, KeyState::Active, algorithm).await);
        assert_eq!(keyring.list().await.unwrap().len(), 4);
    }
}

#[tokio::test]
async fn a_broken_pem_file_refuses_the_start_with_its_name_and_the_reason() {
    let good = p256();
    let small = rsa_key(1024).to_pkcs8_pem(LineEnding::LF).unwrap();
    for (text, mode, reason) in [
        ("", 0o600, "is empty"),
        (&good[..100], 0o600, "only half of one"),
        (&*good, 0o644, "is open to other users (mode 644): run `chmod 600 "),
        (&good.replace("PRIVATE KEY", "CERTIFICATE"), 0o600, "holds a \"CERTIFICATE\" where a private key is expected"),
        (&*small, 0o600, "holds an RSA key of 1024 bits: at least 2048 are needed"),
        (&format!("{good}{good}"), 0o600, "more than one PEM block"),
    ] {
        let server = TestKeyring::new().await;
        server.put("broken.pem", text, mode);
        let message = server.refusal().await;
        assert!(message.starts_with(server.path("broken.pem").to_str().unwrap()), "{message}");
        assert!(message.contains(reason), "{message}");
    }
}

#[tokio::test]
async fn all_broken_pem_files_are_named_at_once() {
    let server = TestKeyring::new().await;
    server.put("a.pem", "", 0o600);
    server.put("b.pem", p256(), 0o644);
    std::fs::create_dir(server.path("c.pem")).unwrap();
    let message = server.refusal().await;
    assert_eq!(message.lines().count(), 3, "{message}");
    assert!(["a.pem", "b.pem", "c.pem is a directory"].iter().all(|name| message.contains(name)), "{message}");
    assert!(server.database().await.signing_keys().await.unwrap().is_empty(), "nothing was made yet");
}
