//! A Tokenhouse server for the measurement, with its own process, core and folder.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::ValueEnum;

use crate::ceilings::Part;
use crate::run::Run;
use crate::times::now;

/// The secret of the clients, long and random enough for the server.
pub(crate) const SECRET: &str = "bench-5c1f0f7b2a6f4c61b0b5f1a5a6f0d5f3e8c9";

pub(crate) const PASSWORD: &str = "a fine long password";

pub(crate) struct Settings<'run> {
    run: &'run Run,
    folder: PathBuf,
    pub(crate) environment: Vec<(&'static str, String)>,
}

/// A running server.
pub(crate) struct Process {
    child: Child,
    /// The base URL, `http://` and the address.
    pub(crate) base: String,
    /// The time from the start of the process to its first answer.
    pub(crate) started_in: Duration,
}

impl<'run> Settings<'run> {
    pub(crate) fn new(run: &'run Run, name: &str) -> Result<Self> {
        let folder = run.scratch.join(name);
        std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        let environment = vec![
            ("TOKENHOUSE_ISSUER", "http://127.0.0.1:8080".to_owned()),
            ("TOKENHOUSE__SIMPLEJWT__SCOPE", "openid profile email".to_owned()),
            ("TOKENHOUSE__LIMITS__BY_ACCOUNT", "off".to_owned()),
            ("TOKENHOUSE__LIMITS__BY_ADDRESS", "off".to_owned()),
            ("TOKENHOUSE__SHUTDOWN__ANNOUNCE", "0s".to_owned()),
        ];
        Ok(Self { run, folder, environment })
    }

    /// Runs a command of the server.
    pub(crate) fn command(&self, arguments: &[&str], input: &str) -> Result<()> {
        let mut command = self.program();
        let mut child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
        child.stdin.take().context("its input")?.write_all(input.as_bytes())?;
        ensure!(child.wait()?.success(), "tokenhouse {} failed", arguments.join(" "));
        Ok(())
    }

    /// Adds the clients and the user that the scenarios use.
    pub(crate) fn add_people(&self) -> Result<()> {
        let client = ["client", "add", "bench", "--grant", "client_credentials", "--secret-stdin", "--scope"];
        self.command(&[&client[..], &["reports:read reports:write tokenhouse:introspect"]].concat(), SECRET)?;
        let application = ["client", "add", "app", "--name", "Application", "--grant", "authorization_code"];
        let asks = ["--scope", "openid profile email", "--redirect-uri", "https://app.example.com/callback"];
        self.command(&[&application[..], &asks].concat(), "")?;
        self.command(&["user", "add", "ada", "--password-stdin"], PASSWORD)
    }

    /// Starts the service. Its log goes to a file, as it would to a collector.
    pub(crate) fn serve(&self) -> Result<Process> {
        let [address, operations] = [free_address()?, free_address()?];
        let log = File::options().create(true).append(true).open(self.folder.join("log"))?;
        let mut command = self.program();
        command.arg("serve").env("TOKENHOUSE_LISTEN", &address).env("TOKENHOUSE_OPS_LISTEN", &operations);
        command.stderr(log);
        Process::start(command, &address, "/.well-known/jwks.json")
            .with_context(|| format!("its log ends: {}", end_of(&self.folder.join("log"))))
    }

    fn program(&self) -> Command {
        let mut command = pinned(self.run, "tokenhouse");
        command.current_dir(&self.folder).envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// Starts the empty handler on the server's core.
pub(crate) fn empty_handler(run: &Run) -> Result<Process> {
    let address = free_address()?;
    let mut command = pinned(run, "measure");
    command.args(["empty", &address, &run.redis]);
    Process::start(command, &address, "/")
}

/// Returns the microseconds of one part alone, on the server's core.
pub(crate) fn alone(run: &Run, part: Part) -> Result<f64> {
    let name = part.to_possible_value().context("a part with a name")?;
    let seconds = (run.seconds / 4.0).to_string();
    let output = pinned(run, "measure").args(["alone", name.get_name(), &seconds, &run.redis]).output()?;
    ensure!(output.status.success(), "{}: {}", part.name(), String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

fn pinned(run: &Run, program: &str) -> Command {
    let mut command = Command::new("taskset");
    command.arg("--cpu-list").arg(&run.core).arg(run.programs.join(program));
    command
}

impl Process {
    fn start(mut command: Command, address: &str, path: &str) -> Result<Self> {
        let since = now();
        let child = command.spawn().context("starting taskset")?;
        let mut process = Self { child, base: format!("http://{address}"), started_in: Duration::ZERO };
        while !answers(address, path) {
            if let Some(status) = process.child.try_wait()? {
                bail!("it ended at once: {status}");
            }
            ensure!(since.elapsed() < Duration::from_secs(30), "it does not answer");
            std::thread::sleep(Duration::from_millis(1));
        }
        process.started_in = since.elapsed();
        Ok(process)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns memory in MiB: `VmRSS` is the current amount, `VmHWM` the greatest so far.
    pub(crate) fn mebibytes(&self, what: &str) -> Result<f64> {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.pid()))?;
        let line = text.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(':'));
        let kib: u32 = line.context("a line of memory")?.trim().trim_end_matches(" kB").parse()?;
        Ok(f64::from(kib) / 1024.0)
    }

    /// Stops the process with SIGTERM, and waits.
    pub(crate) fn stop(mut self) -> Result<()> {
        Command::new("kill").arg(self.pid().to_string()).status().context("kill")?;
        self.child.wait()?;
        Ok(())
    }
}

/// Kills the process, however the run ends.
impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn answers(address: &str, path: &str) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(address)?;
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.starts_with("HTTP/1.1 200"))
    };
    ask().unwrap_or(false)
}

fn free_address() -> Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

fn end_of(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<_> = text.lines().rev().take(5).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}
