//! One server: a database of its own, a folder for keys of its own, and a clock that the test moves.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use tempfile::TempDir;
use tokenhouse::audit::{Actor, AuditEvent};
use tokenhouse::clock::{Clock, Random};
use tokenhouse::config;
use tokenhouse::keys::{Jwks, KeySummary, Keyring, OpenError, make_master_key};
use tokenhouse::model::{KeyState, PageRequest, Secret, SigningAlgorithm};
use tokenhouse::protocol::TokenType;
use tokenhouse::store::Database;
use tokenhouse::store::sql::DatabaseSettings;

/// How long a JWKS may be kept, in these tests.
pub(crate) const MAX_AGE: Duration = Duration::from_mins(5);
/// How old a key must be before it may sign.
pub(crate) const RIPE: Duration = Duration::from_mins(6);
/// How long a signed token lives.
pub(crate) const LIFE: Duration = Duration::from_mins(5);

pub(crate) struct TestServer {
    _folder: TempDir,
    leave_by: Option<(String, String)>,
    url: String,
    pub(crate) clock: Clock,
    pub(crate) settings: config::Keys,
}

impl TestServer {
    /// On SQLite, with the fast algorithms.
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("data/database.db").display());
        Self::on(folder, url).await
    }

    /// On PostgreSQL and with a master key in the environment; `None` where this run does without PostgreSQL.
    pub(crate) async fn on_postgres() -> Option<Self> {
        if std::env::var("TEST_BACKENDS").is_ok_and(|backends| backends == "sqlite") {
            return None;
        }
        let admin = std::env::var("TEST_DATABASE_URL").expect("run ./test, or ./test --quick");
        let database = format!("keyring_{}", Random::default().uuid().simple());
        run(&admin, format!("create database {database}")).await;
        let mut url = url::Url::parse(&admin).unwrap();
        url.set_path(&database);
        let mut server = Self::on(tempfile::tempdir().unwrap(), url.into()).await;
        server.settings.master_key = Some(a_master_key());
        server.leave_by = Some((admin, format!("drop database {database} with (force)")));
        Some(server)
    }

    /// Drops the database where it is one on a server. (What a failed test leaves behind goes with the private server.)
    pub(crate) async fn leave(self) {
        if let Some((admin, sql)) = self.leave_by {
            run(&admin, sql).await;
        }
    }

    async fn on(folder: TempDir, url: String) -> Self {
        let keys = folder.path().join("keys");
        let settings = config::Keys {
            master_key_file: keys.join("master.key"),
            folder: keys,
            id_token_algorithm: SigningAlgorithm::EdDsa,
            access_token_algorithm: SigningAlgorithm::Es256,
            jwks_max_age: config::Duration::seconds(MAX_AGE.as_secs()),
            ..config::Keys::default()
        };
        let server = Self { _folder: folder, leave_by: None, url, clock: Clock::system(), settings };
        server.database().await.migrate().await.unwrap();
        server
    }

    /// A connection of its own, as another instance has.
    pub(crate) async fn database(&self) -> Database {
        let settings = DatabaseSettings {
            url: self.url.clone(),
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

    /// A position in the folder of keys, which is made.
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

async fn run(admin: &str, sql: String) {
    let mut connection = PgConnection::connect(admin).await.unwrap();
    connection.execute(AssertSqlSafe(sql)).await.unwrap();
    connection.close().await.unwrap();
}

pub(crate) fn a_master_key() -> Secret {
    Secret::new(make_master_key(&Random::default()))
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
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    header["kid"].as_str().unwrap().to_owned()
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
