//! The real program as a process of its own, to be killed and stopped.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use tokenhouse::clock::Random;
use tokenhouse::config::Config;

use crate::installation::Installation;
use crate::program::executable;

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

    /// Starts an instance with settings of its own.
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
    let mut command = Command::new(executable());
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

/// A free address below the range from which the system gives out ports by itself: no other program takes it while the
/// instance is down.
fn free_address() -> SocketAddr {
    let random = Random::default();
    loop {
        let port = 20_000 + u16::from_be_bytes(random.bytes()) % 12_000;
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            return listener.local_addr().unwrap();
        }
    }
}
