//! A `PostgreSQL` server of a test's own, to be killed.

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use tempfile::TempDir;

/// A server on a free port. It ends with this value.
pub struct PrivatePostgres {
    folder: TempDir,
    programs: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl PrivatePostgres {
    /// Starts one, with an empty database `server`; `None` where no server program is installed.
    pub async fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            crate::support::skipped("initdb and postgres were not found");
            return None;
        };
        let folder = tempfile::Builder::new().prefix("th").tempdir_in("/tmp").unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let mut server = Self { folder, programs, port, child: None };
        server.make();
        server.launch().await;
        let mut connection = PgConnection::connect_with(&server.options("postgres")).await.unwrap();
        connection.execute(AssertSqlSafe("create database server".to_owned())).await.unwrap();
        Some(server)
    }

    /// The URL of its database.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/server", self.port)
    }

    /// Starts it (again, with what it had on disk).
    pub async fn launch(&mut self) {
        for _ in 0..5 {
            let mut command = self.as_its_user("postgres");
            command.arg("-D").arg(self.folder.path().join("data")).args(["-p", &self.port.to_string()]);
            for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off"] {
                command.args(["-c", setting]);
            }
            let mut child = command.spawn().unwrap();
            for _ in 0..500 {
                if PgConnection::connect_with(&self.options("postgres")).await.is_ok() {
                    self.child = Some(child);
                    return;
                }
                // Right after a kill, the memory of the one before may still be in use.
                if child.try_wait().unwrap().is_some() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            end(&mut child);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("the private PostgreSQL server did not start");
    }

    /// Ends the postmaster at once; its children notice and follow.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            end(&mut child);
        }
    }

    fn make(&self) {
        let data = self.folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        if let Some((user, group)) = other_user() {
            std::os::unix::fs::chown(&data, Some(user), Some(group)).unwrap();
        }
        let mut command = self.as_its_user("initdb");
        command.args(["-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C", "-D"]).arg(&data);
        assert!(command.status().unwrap().success());
    }

    fn options(&self, database: &str) -> PgConnectOptions {
        PgConnectOptions::new().host("127.0.0.1").port(self.port).username("postgres").database(database)
    }

    /// `PostgreSQL` refuses to run as root.
    fn as_its_user(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        let mut command = match other_user() {
            Some((user, group)) => {
                let mut command = Command::new("setpriv");
                command
                    .arg(format!("--reuid={user}"))
                    .arg(format!("--regid={group}"))
                    .arg("--clear-groups")
                    .arg(program);
                command
            }
            None => Command::new(program),
        };
        command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        self.kill();
    }
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// The user and group `postgres`, where this runs as root.
fn other_user() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| -> Option<u32> {
        let output = Command::new("id").args(arguments).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    (id(&["-u"]) == Some(0)).then(|| Some((id(&["-u", "postgres"])?, id(&["-g", "postgres"])?))).flatten()
}

/// The folder of `initdb` and `postgres`.
#[expect(clippy::disallowed_methods, reason = "PATH, which is no setting of the server")]
fn programs() -> Option<PathBuf> {
    let in_path = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    let mut folders: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|e| e.path().join("bin"))
        .collect();
    folders.sort();
    folders.reverse();
    let all = in_path.unwrap_or_default().into_iter().chain(folders);
    all.filter_map(|folder| {
        std::fs::canonicalize(folder.join("initdb")).ok().and_then(|file| Some(file.parent()?.to_owned()))
    })
    .find(|folder| folder.join("postgres").is_file())
}
