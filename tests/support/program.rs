//! The real program in a folder of its own, as a person or a service manager runs it.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

/// The program under test, which Cargo builds for the test programs of the package and names to them.
pub fn executable() -> PathBuf {
    let named = std::env::var_os("CARGO_BIN_EXE_tokenhouse");
    named.unwrap_or_else(|| panic!("the tests are run by `cargo test`, which names the program")).into()
}

/// A folder in which the program is run. Nothing of this process's environment reaches it but what a test sets.
pub struct Workplace {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

impl Workplace {
    /// An empty folder. The signing keys are of a kind that is quick to make, and the ports are free ones.
    pub fn fresh() -> Self {
        let plain = [
            ("TOKENHOUSE_LISTEN", "127.0.0.1:0"),
            ("TOKENHOUSE_OPS_LISTEN", "127.0.0.1:0"),
            ("TOKENHOUSE__KEYS__ID_TOKEN_ALGORITHM", "ES256"),
        ];
        let variables = plain.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        Self { folder: tempfile::tempdir().unwrap(), variables }
    }

    /// Sets a variable for every run from now on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.run_with_input(arguments, "")
    }

    /// Runs a command to its end with something on its standard input.
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Ended {
        use std::io::Write;
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A command that does not read is no concern of ours.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        Ended::of(&child.wait_with_output().unwrap())
    }

    /// Starts `serve` with these arguments and waits until it answers.
    pub fn serve(&self, arguments: &[&str]) -> Serving {
        let (out, err) = (self.path("stdout.txt"), self.path("stderr.txt"));
        let mut command = self.command(&[&["serve"], arguments].concat());
        command.env("TOKENHOUSE__LOG__FORMAT", "json");
        command.stdin(Stdio::null()).stdout(File::create(&out).unwrap()).stderr(File::create(&err).unwrap());
        let child = command.spawn().unwrap();
        let mut serving =
            Serving { child, out, err, address: ([127, 0, 0, 1], 0).into(), operations: ([127, 0, 0, 1], 0).into() };
        serving.wait_until_it_serves();
        serving
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(executable());
        command.args(arguments).current_dir(self.folder.path()).env_clear();
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// A command that came to its end.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ended {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// What it said, if it went well.
    #[track_caller]
    pub fn good(self) -> String {
        assert_eq!(self.code, Some(0), "{} {}", self.out, self.err);
        self.out
    }

    /// The JSON that it said, if it went well.
    #[track_caller]
    pub fn json(self) -> Value {
        serde_json::from_str(&self.good()).unwrap()
    }

    /// What it complained of.
    #[track_caller]
    pub fn bad(self) -> String {
        assert_eq!(self.code, Some(1), "{} {}", self.out, self.err);
        format!("{}{}", self.out, self.err)
    }
}

/// A running service. It ends with this value.
pub struct Serving {
    child: Child,
    out: PathBuf,
    err: PathBuf,
    pub address: SocketAddr,
    pub operations: SocketAddr,
}

impl Serving {
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Everything it printed so far.
    pub fn printed(&self) -> String {
        read(&self.out)
    }

    /// Everything it logged so far.
    pub fn logged(&self) -> String {
        read(&self.err)
    }

    /// Asks it to stop.
    pub fn terminate(&self) {
        let process = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &process]).status().unwrap().success());
    }

    /// Waits until it has ended.
    pub fn wait(&mut self) -> ExitStatus {
        for _ in 0..1500 {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it does not end:\n{}", self.logged());
    }

    /// Asks it to stop and waits until it has.
    pub fn stop(&mut self) -> ExitStatus {
        self.terminate();
        self.wait()
    }

    fn wait_until_it_serves(&mut self) {
        for _ in 0..1500 {
            let logged = self.logged();
            let lines = logged.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            if let Some(line) = lines.into_iter().find(|line| line["message"] == "serving") {
                let address = |name: &str| line[name].as_str().unwrap().parse().unwrap();
                (self.address, self.operations) = (address("address"), address("operations"));
                return;
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("it ended with {status}:\n{}", self.logged());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("it does not serve:\n{}", self.logged());
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}
