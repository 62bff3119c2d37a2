//! The keyring of one server: on a database of its own, with a folder of its own, and a clock that the test moves.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use test_support::answer::header;
use test_support::installation::{Backend, Installation};
use test_support::only_sqlite;
use tokenhouse::audit::{Actor, AuditEvent};
use tokenhouse::clock::{Clock, Random};
use tokenhouse::config;
use tokenhouse::keys::{Jwks, KeySummary, Keyring, OpenError};
use tokenhouse::model::{KeyState, PageRequest, SigningAlgorithm};
use tokenhouse::protocol::TokenType;
use tokenhouse::store::Database;
use tokenhouse::store::sql::DatabaseSettings;

/// How long a JWKS may be kept, in these tests.
pub(crate) const MAX_AGE: Duration = Duration::from_mins(5);
/// How old a key must be before it may sign.
pub(crate) const RIPE: Duration = Duration::from_mins(6);
/// How long a signed token lives.
pub(crate) const LIFE: Duration = Duration::from_mins(5);

pub(crate) struct TestKeyring {
    installation: Installation,
    pub(crate) clock: Clock,
    pub(crate) settings: config::Keys,
}

impl TestKeyring {
    /// On SQLite, with the fast algorithms.
    pub(crate) async fn new() -> Self {
        Self::on(Backend::Embedded).await
    }

    /// On PostgreSQL and with a master key in the environment; `None` where this run does without PostgreSQL.
    pub(crate) async fn on_postgres() -> Option<Self> {
        if only_sqlite() { None } else { Some(Self::on(Backend::Servers).await) }
    }

    /// Takes the database away.
    pub(crate) async fn leave(self) {
        self.installation.remove().await;
    }

    async fn on(backend: Backend) -> Self {
        let installation = Installation::new(backend).await;
        let settings = config::Keys {
            id_token_algorithm: SigningAlgorithm::EdDsa,
            access_token_algorithm: SigningAlgorithm::Es256,
            jwks_max_age: config::Duration::seconds(MAX_AGE.as_secs()),
            ..installation.config.keys.clone()
        };
        let server = Self { installation, clock: Clock::system(), settings };
        server.database().await.migrate().await.unwrap();
        server
    }

    /// A connection of its own, as another instance has.
    pub(crate) async fn database(&self) -> Database {
        let settings = DatabaseSettings {
            url: self.installation.config.database.url.expose().to_owned(),
            max_connections: 2,
            acquire_timeout: Duration::from_secs(10),
            statement_timeout: Duration::from_secs(10),
        };
        Database::connect(&settings).await.unwrap()
    }

    pub(crate) async fn open(&self) -> Keyring {
        self.try_open().await.unwrap()
    }

    pub(crate) async fn try_open(&self) -> Result<Keyring, OpenError> {
        Keyring::open(&self.settings, LIFE, self.database().await, self.clock.clone(), Random::default()).await
    }

    pub(crate) async fn refusal(&self) -> String {
        self.try_open().await.unwrap_err().0
    }

    /// A path in the folder of keys, which is made.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        fs::create_dir_all(&self.settings.folder).unwrap();
        self.settings.folder.join(name)
    }

    pub(crate) fn put(&self, name: &str, text: impl AsRef<[u8]>, mode: u32) {
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// What the audit says of keys, oldest first; what happened in one millisecond in no order.
    pub(crate) async fn audit(&self) -> Vec<(Actor, AuditEvent)> {
        let mut page = self.database().await.list_audit(&PageRequest::new(None, Some(500))).await.unwrap();
        page.items.reverse();
        let event = |value: &Value| serde_json::from_value(value.clone()).unwrap();
        page.items.iter().map(|record| (record.actor.clone(), event(&record.event))).collect()
    }
}

/// `kid`s of the keys in a state.
pub(crate) fn kids(keys: &[KeySummary], state: KeyState) -> Vec<&str> {
    keys.iter().filter(|key| key.state == state).map(|key| key.kid.as_str()).collect()
}

/// The kid of the one key of this algorithm in this state.
pub(crate) async fn the(keyring: &Keyring, state: KeyState, algorithm: SigningAlgorithm) -> String {
    let mut keys = keyring.list().await.unwrap();
    keys.retain(|key| key.state == state && key.algorithm == algorithm);
    assert_eq!(keys.len(), 1, "{keys:?}");
    keys.remove(0).kid
}

pub(crate) fn sign(keyring: &Keyring, algorithm: SigningAlgorithm) -> String {
    keyring.sign(algorithm, TokenType::Access, &json!({"sub": "u", "exp": 32_503_680_000_u64})).unwrap()
}

/// The `kid` in a token's header.
pub(crate) fn kid(token: &str) -> String {
    header(token)["kid"].as_str().unwrap().to_owned()
}

/// What another program, with jsonwebtoken and this JWKS, says of a token.
pub(crate) fn verifies(jwks: &Jwks, token: &str) -> bool {
    let jwks: jsonwebtoken::jwk::JwkSet = serde_json::from_str(&jwks.body).unwrap();
    let header = jsonwebtoken::decode_header(token).unwrap();
    jwks.find(&header.kid.unwrap()).is_some_and(|jwk| {
        let key = jsonwebtoken::DecodingKey::from_jwk(jwk).unwrap();
        jsonwebtoken::decode::<Value>(token, &key, &jsonwebtoken::Validation::new(header.alg)).is_ok()
    })
}
