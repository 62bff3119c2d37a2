//! The real program as a process of its own, to be killed and stopped.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokenhouse::app::{self, Purpose};
use tokenhouse::audit::Actor;
use tokenhouse::clock::{Clock, Random};
use tokenhouse::config::{Config, Rate};
use tokenhouse::ctx::Ctx;
use tokenhouse::keys::make_master_key;
use tokenhouse::model::{Secret, SigningAlgorithm};
use tokenhouse::users::{self, NewUser};

use crate::server::{ADMIN, Backend, USER};
use crate::support;

/// What the processes of one server share.
pub struct Installation {
    pub config: Config,
    folder: TempDir,
    database: Option<String>,
}

impl Installation {
    /// Makes the stores, with the server's user and its administrator.
    pub async fn prepare(backend: Backend) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config { workers: 1, issuer: "http://127.0.0.1:8080".to_owned(), ..Config::default() };
        config.keys.folder = folder.path().join("keys");
        config.keys.master_key_file = folder.path().join("keys/master.key");
        config.keys.master_key = Some(Secret::new(make_master_key(&Random::default())));
        config.keys.id_token_algorithm = SigningAlgorithm::Es256;
        config.limits.by_address = Rate::Off;
        config.limits.by_account = Rate::Off;
        config.passwords.threads = 1;
        let mut database = None;
        match backend {
            Backend::Embedded => {
                config.database.url = Secret::new(format!("sqlite://{}", folder.path().join("server.db").display()));
            }
            Backend::Servers => {
                let name = support::postgres::create_database().await;
                config.database.url = Secret::new(support::postgres::url_of(&name));
                database = Some(name);
                let redis = support::redis::settings();
                config.redis.url = Some(Secret::new(redis.url));
                config.redis.key_prefix = redis.key_prefix;
            }
        }
        let installation = Self { config, folder, database };
        let ctx = installation.open().await;
        for ((username, password), admin) in [(USER, false), (ADMIN, true)] {
            let new = NewUser {
                username: username.to_owned(),
                admin,
                password: Some(Secret::new(password)),
                ..NewUser::default()
            };
            users::add(&ctx, new, Actor::System).await.unwrap();
        }
        ctx.store.database.close().await;
        installation
    }

    /// Opens configuration, stores and keys as a command does.
    pub async fn open(&self) -> Ctx {
        app::open(self.config.clone(), Clock::system(), Purpose::Command).await.unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub async fn leave(self) {
        if let Some(database) = &self.database {
            support::postgres::drop_database(database).await;
        }
    }
}

/// One instance. It ends with this value.
pub struct Process {
    config: Config,
    log: PathBuf,
    pub address: SocketAddr,
    pub operations: SocketAddr,
    child: Option<Child>,
}

impl Process {
    /// Starts an instance with a log of its own, and waits until it is ready.
    pub async fn start(installation: &Installation, name: &str) -> Self {
        Self::start_with(installation.config.clone(), installation.path(name)).await
    }

    /// The same, with settings of its own.
    pub async fn start_with(config: Config, log: PathBuf) -> Self {
        let (address, operations) = (free_address(), free_address());
        let mut process = Self { config, log, address, operations, child: None };
        process.launch().await;
        process
    }

    /// Starts it (again, at the same address).
    pub async fn launch(&mut self) {
        let log = std::fs::File::options().create(true).append(true).open(&self.log).unwrap();
        let mut command = command(&self.config);
        command.arg("serve").env("TOKENHOUSE_LISTEN", self.address.to_string());
        command.env("TOKENHOUSE_OPS_LISTEN", self.operations.to_string());
        self.child = Some(command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap());
        for _ in 0..1000 {
            if self.is_ready().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the instance did not start: {}", self.read_log());
    }

    pub async fn is_ready(&self) -> bool {
        let url = format!("http://{}/health/ready", self.operations);
        reqwest::get(url).await.is_ok_and(|answer| answer.status() == 200)
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Sends a signal, by its name: `TERM`, `STOP`, `CONT`.
    pub fn signal(&self, name: &str) {
        let process = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-s", name, &process]).status().unwrap().success());
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self, within: Duration) -> Option<ExitStatus> {
        let child = self.child.as_mut().unwrap();
        for _ in 0..within.as_millis() / 10 {
            if let Some(status) = child.try_wait().unwrap() {
                return Some(status);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        None
    }

    pub fn read_log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The program with these settings and nothing else in its environment.
pub fn command(config: &Config) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tokenhouse"));
    command.env_clear().stdin(Stdio::null()).current_dir(config.keys.folder.parent().unwrap());
    let mut set = |name: &str, value: &str| {
        command.env(name, value);
    };
    set("TOKENHOUSE_ISSUER", &config.issuer);
    set("DATABASE_URL", config.database.url.expose());
    if let Some(redis) = &config.redis.url {
        set("REDIS_URL", redis.expose());
        set("TOKENHOUSE__REDIS__KEY_PREFIX", &config.redis.key_prefix);
        set("TOKENHOUSE__REDIS__COMMAND_TIMEOUT", &config.redis.command_timeout.to_string());
    }
    if let Some(key) = &config.keys.master_key {
        set("TOKENHOUSE_MASTER_KEY", key.expose());
    }
    set("TOKENHOUSE__KEYS__FOLDER", path(&config.keys.folder));
    set("TOKENHOUSE_MASTER_KEY_FILE", path(&config.keys.master_key_file));
    set("TOKENHOUSE__KEYS__ID_TOKEN_ALGORITHM", "ES256");
    set("TOKENHOUSE__KEYS__JWKS_MAX_AGE", &config.keys.jwks_max_age.to_string());
    set("TOKENHOUSE__LIMITS__BY_ADDRESS", "off");
    set("TOKENHOUSE__LIMITS__BY_ACCOUNT", "off");
    set("TOKENHOUSE__WORKERS", &config.workers.to_string());
    set("TOKENHOUSE__PASSWORDS__THREADS", "1");
    set("TOKENHOUSE__SHUTDOWN__ANNOUNCE", &config.shutdown.announce.to_string());
    set("TOKENHOUSE__SHUTDOWN__DRAIN", &config.shutdown.drain.to_string());
    command
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Below the range from which the system gives out ports by itself, so that nobody takes it while the instance is down.
fn free_address() -> SocketAddr {
    let random = Random::default();
    loop {
        let port = 20_000 + u16::from_be_bytes(random.bytes()) % 12_000;
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            return listener.local_addr().unwrap();
        }
    }
}
