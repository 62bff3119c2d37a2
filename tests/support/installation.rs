//! What the instances of one server share: settings, a database, a key prefix in Redis and a folder for keys.

use std::path::PathBuf;

use tempfile::TempDir;
use tokenhouse::app::{self, Purpose};
use tokenhouse::audit::Actor;
use tokenhouse::clock::{Clock, Random};
use tokenhouse::config::{Config, Rate};
use tokenhouse::ctx::Ctx;
use tokenhouse::keys::make_master_key;
use tokenhouse::model::{Secret, SigningAlgorithm, User};
use tokenhouse::users::{self, NewUser};

use crate::{only_sqlite, postgres, redis};

/// The user of every server.
pub const USER: (&str, &str) = ("ada", "a fine long password");

/// The administrator of every server.
pub const ADMIN: (&str, &str) = ("grace", "another long password");

/// Where a server keeps its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// `SQLite`, with the embedded ephemeral store.
    Embedded,
    /// `PostgreSQL` and Redis.
    Servers,
}

/// The backends of this run.
pub fn backends() -> Vec<Backend> {
    if only_sqlite() { vec![Backend::Embedded] } else { vec![Backend::Embedded, Backend::Servers] }
}

/// The stores and keys of one server, and the settings that its instances begin with.
pub struct Installation {
    pub backend: Backend,
    pub config: Config,
    folder: TempDir,
    database: Option<String>,
}

impl Installation {
    /// Makes the stores, still empty.
    pub async fn new(backend: Backend) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config {
            listen: "127.0.0.1:0".to_owned(),
            ops_listen: "127.0.0.1:0".to_owned(),
            workers: 1,
            ..Config::default()
        };
        config.keys.folder = folder.path().join("keys");
        config.keys.master_key_file = folder.path().join("keys/master.key");
        // An EC key is quick to make.
        config.keys.id_token_algorithm = SigningAlgorithm::Es256;
        config.passwords.threads = 1;
        config.limits.by_address = Rate::Off;
        let database = match backend {
            Backend::Embedded => {
                let file = folder.path().join("data/server.db");
                config.database.url = Secret::new(format!("sqlite://{}", file.display()));
                None
            }
            Backend::Servers => Some(use_servers(&mut config).await),
        };
        Self { backend, config, folder, database }
    }

    /// Makes the stores for processes, with the server's user and its administrator.
    pub async fn for_processes(backend: Backend) -> Self {
        let mut installation = Self::new(backend).await;
        installation.config.keys.master_key = Some(a_master_key());
        installation.config.limits.by_account = Rate::Off;
        let ctx = installation.open().await;
        add_users(&ctx).await;
        ctx.store.database.close().await;
        installation
    }

    /// Opens configuration, stores and keys as a command does.
    pub async fn open(&self) -> Ctx {
        app::open(self.config.clone(), Clock::system(), Purpose::Command).await.unwrap()
    }

    /// A path in the folder of this installation.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Drops the database where it is one on a server. (What a failed test leaves there goes with the private server.)
    pub async fn remove(self) {
        if let Some(database) = &self.database {
            postgres::drop_database(database).await;
        }
    }
}

async fn use_servers(config: &mut Config) -> String {
    let database = postgres::create_database().await;
    config.database.url = Secret::new(postgres::url_of(&database));
    let redis = redis::settings();
    config.redis.url = Some(Secret::new(redis.url));
    config.redis.key_prefix = redis.key_prefix;
    config.keys.master_key = Some(a_master_key());
    database
}

/// A new master key.
pub fn a_master_key() -> Secret {
    Secret::new(make_master_key(&Random::default()))
}

/// Adds the server's user and its administrator.
pub async fn add_users(ctx: &Ctx) {
    add_user(ctx, USER, false).await;
    add_user(ctx, ADMIN, true).await;
}

/// Adds a user.
pub async fn add_user(ctx: &Ctx, (username, password): (&str, &str), admin: bool) -> User {
    let new = NewUser {
        username: username.to_owned(),
        admin,
        roles: vec!["reader".to_owned()],
        password: Some(Secret::new(password)),
        ..NewUser::default()
    };
    users::add(ctx, new, Actor::System).await.unwrap()
}
